/** Saves soon after it is asked to, and again with growing delays while that fails. */
import { backoffMs } from './backoff.js';
import type { Platform } from './platform/platform.js';

export interface BackgroundSaverParts {
  readonly platform: Platform;
  readonly save: () => Promise<void>;
  /** Called after each failure; it is tried again all the same, unless the saver is stopped. */
  readonly onFailed: (error: unknown) => void;
}

export class BackgroundSaver {
  readonly #parts: BackgroundSaverParts;
  #isScheduled = false;
  #isStopped = false;
  #failures = 0;
  #cancelRetry: () => void = () => {};

  constructor(parts: BackgroundSaverParts) {
    this.#parts = parts;
  }

  /** True since the last try failed. */
  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /** Gathers what one turn of the event loop asks for into one save. */
  schedule(): void {
    if (this.#isScheduled || this.#isStopped) return;
    this.#isScheduled = true;
    void Promise.resolve().then(() => this.#save());
  }

  /** Everything is saved, whoever did it. */
  succeeded(): void {
    this.#failures = 0;
    this.#cancelRetry();
  }

  /** Tries no more. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelRetry();
  }

  async #save(): Promise<void> {
    const { platform, save, onFailed } = this.#parts;
    this.#isScheduled = false;
    try {
      await save();
    } catch (error) {
      this.#failures += 1;
      onFailed(error);
      this.#cancelRetry();
      if (this.#isStopped) return;
      this.#cancelRetry = platform.setTimer(() => this.schedule(), backoffMs(this.#failures, platform.random()));
    }
  }
}
