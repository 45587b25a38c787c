/** One thing after another. */

export class TurnQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` when everything before it has ended, however it ended. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work);
    this.#last = mine;
    return mine;
  }

  /** Resolves when everything that was queued has ended, however it ended. */
  async idle(): Promise<void> {
    await this.#last.catch(() => {});
  }
}
