/**
 * One thing after another, but for those that do not disturb each other:
 *
 *   take    changes anything: has its turn alone
 *   add     changes nothing that is read: has its turn among the writers, beside readers
 *   read    changes nothing: waits for no `add`, so for no disk
 */

export class TurnQueue {
  /** The last turn that was taken alone, and the last of any writer. */
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
