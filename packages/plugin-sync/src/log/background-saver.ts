/** Saves soon after it is asked to, and again with growing delays while that fails. */
import { Retry } from '../cycle/retry.js';
import type { Platform } from '../platform/platform.js';

export interface BackgroundSaverParts {
  readonly platform: Platform;
  readonly save: () => Promise<void>;
  /** Called after each failure; the saver tries again all the same, unless it is stopped. */
  readonly onFailed: (error: unknown) => void;
}

/** 16: from one `await records.update(…)` to the next, storage in memory takes 12 microtasks; the rest is room. */
const TURNS = 16;
/** 1,000: as many as a push carries. Little is lost when the process dies. */
const MAX_GATHERED = 1000;

export class BackgroundSaver {
  readonly #parts: BackgroundSaverParts;
  #isScheduled = false;
  /** How often a save was asked for. */
  #asked = 0;
  #isStopped = false;
  #saving: Promise<void> | undefined;
  readonly #retry: Retry;

  constructor(parts: BackgroundSaverParts) {
    this.#parts = parts;
    this.#retry = new Retry(parts.platform, () => this.schedule());
  }

  /** True since the last try failed. */
  get isFailing(): boolean {
    return this.#retry.isNeeded;
  }

  /** Gathers requests into one save, while the application waits for nothing but this client between them. */
  schedule(): void {
    this.#asked += 1;
    if (this.#isScheduled || this.#isStopped) return;
    this.#isScheduled = true;
    this.#saving = this.#gather().then(() => this.#save());
  }

  async #gather(): Promise<void> {
    let asked = 0;
    const most = this.#asked + MAX_GATHERED;
    while (asked !== this.#asked && this.#asked < most && !this.#isStopped) {
      asked = this.#asked;
      for (let turn = 0; turn < TURNS; turn++) await undefined;
    }
  }

  /** Everything is saved, whoever did it. */
  succeeded(): void {
    this.#retry.succeeded();
  }

  /** Stops trying. Resolves when the save asked for before has been tried. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#retry.stop();
    await this.#saving;
  }

  async #save(): Promise<void> {
    const { save, onFailed } = this.#parts;
    this.#isScheduled = false;
    try {
      await save();
    } catch (error) {
      this.#retry.failed();
      onFailed(error);
    }
  }
}
