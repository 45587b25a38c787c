/** Work that has begun and that somebody has to wait for. */
export class UnderWay {
  readonly #works = new Set<Promise<unknown>>();

  /** Counts `work` until it ends; answers what it answers. */
  async add<T>(work: Promise<T>): Promise<T> {
    this.#works.add(work);
    try {
      return await work;
    } finally {
      this.#works.delete(work);
    }
  }

  get isEmpty(): boolean {
    return this.#works.size === 0;
  }

  /** Resolves once all of it has ended, however, and what was added meanwhile. */
  async ended(): Promise<void> {
    while (this.#works.size > 0) await Promise.allSettled(this.#works);
  }
}
