/** Tries again what failed, after a delay that grows with each failure. */
import { backoffMs } from '../cycle/backoff.js';
import type { Platform } from '../platform/platform.js';

export class Retry {
  readonly #platform: Pick<Platform, 'random' | 'setTimer'>;
  readonly #work: () => unknown;
  #failures = 0;
  #cancel: () => void = () => {};

  constructor(platform: Pick<Platform, 'random' | 'setTimer'>, work: () => unknown) {
    this.#platform = platform;
    this.#work = work;
  }

  /** Schedules the work again. */
  failed(): void {
    this.cancel();
    this.#failures += 1;
    const delayMs = backoffMs(this.#failures, this.#platform.random());
    this.#cancel = this.#platform.setTimer(() => void this.#work(), delayMs);
  }

  /** Nothing is left to try; the next failure waits as briefly as a first one. */
  succeeded(): void {
    this.cancel();
    this.#failures = 0;
  }

  cancel(): void {
    this.#cancel();
  }
}
