/** Runs one piece of work after another. */
export class Mutex {
  #tail: Promise<unknown> = Promise.resolve();

  /** Runs `work` when all earlier work has ended, however it ended; resolves or rejects with it. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#tail.then(work, work);
    this.#tail = mine;
    return mine;
  }
}
