/** Another try of what failed, after a delay that grows from failure to failure. */
import { backoffMs } from '../cycle/backoff.js';
import { systemPlatform } from '../platform/system-platform.js';

export class Retry {
  readonly #work: () => unknown;
  #failures = 0;
  #cancel: () => void = () => {};

  constructor(work: () => unknown) {
    this.#work = work;
  }

  /** Has the work done again later. */
  failed(): void {
    this.cancel();
    this.#failures += 1;
    const delayMs = backoffMs(this.#failures, systemPlatform.random());
    this.#cancel = systemPlatform.setTimer(() => void this.#work(), delayMs);
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
