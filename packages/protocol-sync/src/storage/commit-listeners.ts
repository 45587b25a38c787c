/** The listeners for commits, and what they were told last. */

/** Tells listeners each head of the feed at most once, rising. */
export class CommitListeners {
  readonly #listeners = new Set<{ readonly call: (head: number) => void }>();
  #head = 0;

  /** The last head that was announced. */
  get head(): number {
    return this.#head;
  }

  /** Whether anybody listens. */
  get isEmpty(): boolean {
    return this.#listeners.size === 0;
  }

  /** Adds a listener; the returned function removes it. */
  add(listener: (head: number) => void): () => void {
    const entry = { call: listener };
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  /** Takes `head` as known, without telling anybody. */
  startAt(head: number): void {
    this.#head = Math.max(this.#head, head);
  }

  /** What `read` finds. If its head is lower than what was announced before the question, the feed has gone back. */
  async look<Facts extends { readonly head: number }>(read: () => Facts | Promise<Facts>): Promise<Facts> {
    const announced = this.#head;
    const facts = await read();
    if (facts.head < announced) this.startOver();
    return facts;
  }

  /** Forgets what was announced: the feed was restored, and counts from a lower place again. */
  startOver(): void {
    this.#head = 0;
  }

  /**
   * Tells `head` unless it, or a higher one, was told before. Listeners run after the caller: the commit stands, and a
   * listener that throws must not make it look failed.
   */
  announce(head: number): void {
    if (head <= this.#head) return;
    this.#head = head;
    for (const entry of this.#listeners) {
      void Promise.resolve().then(() => {
        if (this.#listeners.has(entry)) entry.call(head);
      });
    }
  }
}
