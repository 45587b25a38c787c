/** Work of one process that waits for the same lock, in memory and not each with a connection of the pool. */
import type { Platform } from '../platform/platform.js';
import { Mutex } from '../storage/mutex.js';
import { StoreBusyError } from '../storage/sync-store.js';

/** 10 s: with the push that comes then the answer is still there within the client's 30 s. */
const TIMEOUT_MS = 10_000;

export class Turns {
  readonly #mutex = new Mutex();
  readonly #platform: Pick<Platform, 'setTimer'>;

  constructor(platform: Pick<Platform, 'setTimer'>) {
    this.#platform = platform;
  }

  /** Runs `work` when all earlier work has ended. Where that takes too long, throws `StoreBusyError`, and nothing is run. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    let isTooLate = false;
    let stopTimer = () => {};
    const tooLate = new Promise<never>((_, reject) => {
      stopTimer = this.#platform.setTimer(() => {
        isTooLate = true;
        reject(new StoreBusyError(`Other pushes and writes took more than ${TIMEOUT_MS} ms. Try again.`));
      }, TIMEOUT_MS);
    });
    const mine = this.#mutex.run(async () => {
      stopTimer();
      // Told by the race already.
      return isTooLate ? tooLate : work();
    });
    return Promise.race([mine, tooLate]);
  }
}
