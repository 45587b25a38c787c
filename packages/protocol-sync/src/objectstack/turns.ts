/** Lets work of one process that needs the same lock wait in memory, and not each with a connection of the pool. */
import { REQUEST_TIMEOUT_MS } from '@objectql/sync-types';
import { inTime } from '../platform/in-time.js';
import type { Platform } from '../platform/platform.js';
import { Mutex } from '../storage/mutex.js';
import { StoreBusyError } from '../storage/sync-store.js';

/** 10 s: a push that comes after the wait is still answered within the client's 30 s. */
const TIMEOUT_MS = 10_000;
/**
 * 30 s: by then nobody waits for its result any longer. On a silent connection it may take TCP's quarter of an hour,
 * and nobody else would get a turn; the database's own lock, which orders the writers, ends after a minute.
 */
const HELD_MS = REQUEST_TIMEOUT_MS;

export class Turns {
  readonly #mutex = new Mutex();
  readonly #platform: Pick<Platform, 'setTimer'>;

  constructor(platform: Pick<Platform, 'setTimer'>) {
    this.#platform = platform;
  }

  /**
   * Runs `work` when all earlier work has ended, or held its turn for 30 s. Work that waits too long is not run: it
   * rejects with `StoreBusyError`.
   */
  async take<T>(work: () => Promise<T>): Promise<T> {
    let isTooLate = false;
    let stopTimer = () => {};
    const tooLate = new Promise<never>((_, reject) => {
      stopTimer = this.#platform.setTimer(() => {
        isTooLate = true;
        reject(new StoreBusyError(`Other pushes and writes took more than ${TIMEOUT_MS} ms. Try again.`));
      }, TIMEOUT_MS);
    });
    const mine = new Promise<T>((resolve) => {
      void this.#mutex.run(async () => {
        stopTimer();
        // The race has told the caller already.
        if (isTooLate) return;
        const running = work();
        resolve(running);
        await this.#settledOrGivenUp(running);
      });
    });
    return Promise.race([mine, tooLate]);
  }

  async #settledOrGivenUp(running: Promise<unknown>): Promise<void> {
    const bound = { timeoutMs: HELD_MS, platform: this.#platform };
    await inTime(running, bound, () => new Error('Its turn is over.')).catch(() => {});
  }
}
