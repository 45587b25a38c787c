/**
 * Runs one thing after another, except those that do not disturb each other:
 *
 *   take    may change anything: runs alone
 *   add     changes nothing that readers see: runs one at a time, beside readers
 *   read    changes nothing: does not wait for `add`, so not for the disk
 */

export class TurnQueue {
  /** The last `take`, and the last `take` or `add`. */
  #lastTaken: Promise<unknown> = Promise.resolve();
  #lastWritten: Promise<unknown> = Promise.resolve();
  readonly #readers = new Set<Promise<unknown>>();

  /** Runs `work` when everything before it has ended, however it ended; everything behind it waits. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.idle().then(work);
    this.#lastTaken = mine;
    this.#lastWritten = mine;
    return mine;
  }

  /** Runs `work` when every `take` and `add` before it has ended. */
  add<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#lastWritten.then(work, work);
    this.#lastWritten = mine;
    return mine;
  }

  /** Runs `work` when every `take` before it has ended; the next `take` waits for it. */
  read<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#lastTaken.then(work, work);
    const ended = () => this.#readers.delete(mine);
    this.#readers.add(mine);
    mine.then(ended, ended);
    return mine;
  }

  /** Resolves when everything that was queued has ended, however it ended. */
  async idle(): Promise<void> {
    // Not `Promise.allSettled`: React Native's older engines have none.
    for (const turn of [this.#lastWritten, ...this.#readers]) await turn.catch(() => {});
  }
}
