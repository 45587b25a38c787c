/** Tries again what failed, after a delay that grows with each failure. */
import type { Platform } from '../platform/platform.js';
import { backoffMs } from './backoff.js';

export class Retry {
  readonly #platform: Pick<Platform, 'random' | 'setTimer'>;
  readonly #work: () => unknown;
  #failures = 0;
  #cancel: () => void = () => {};
  #isStopped = false;

  constructor(platform: Pick<Platform, 'random' | 'setTimer'>, work: () => unknown) {
    this.#platform = platform;
    this.#work = work;
  }

  /** True from a failure until the next success. */
  get isNeeded(): boolean {
    return this.#failures > 0;
  }

  /** Schedules the work again, unless it was stopped. */
  failed(): void {
    this.#cancel();
    this.#failures += 1;
    if (this.#isStopped) return;
    this.#cancel = this.#platform.setTimer(() => void this.#work(), backoffMs(this.#failures, this.#platform.random()));
  }

  /** Nothing is left to try; the next failure waits as briefly as a first one. */
  succeeded(): void {
    this.#cancel();
    this.#failures = 0;
  }

  /** Tries nothing any more. */
  stop(): void {
    this.#cancel();
    this.#isStopped = true;
  }
}
