/** Another try of what failed, after a delay that grows from failure to failure. */
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

  /** Has the work done again later. */
  failed(): void {
    this.cancel();
    this.#failures += 1;
    const delayMs = backoffMs(this.#failures, this.#platform.random());
    this.#cancel = this.#platform.setTimer(() => void this.#work(), delayMs);
  }

  /** Nothing is left to try; what fails next waits as after a first failure. */
  succeeded(): void {
    this.cancel();
    this.#failures = 0;
  }

  cancel(): void {
    this.#cancel();
  }
}
