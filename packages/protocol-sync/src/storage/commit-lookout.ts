/** Looks for commits of other processes in a database that does not announce them. */
import type { Platform } from '../platform/platform.js';

export interface LookoutParts {
  readonly platform: Pick<Platform, 'setTimer'>;
  /** How late a commit may be noticed. */
  readonly pauseMs: number;
  /** Whether the store is open and somebody listens; asked before each pause. */
  readonly isWanted: () => boolean;
  readonly look: () => Promise<void>;
}

export class CommitLookout {
  readonly #parts: LookoutParts;
  #cancel: (() => void) | undefined;

  constructor(parts: LookoutParts) {
    this.#parts = parts;
  }

  /** Looks after each pause for as long as `isWanted` says so. */
  keepLooking(): void {
    if (!this.#cancel && this.#parts.isWanted()) this.#lookIn(this.#parts.pauseMs);
  }

  /** Looks at once, even without listeners. */
  lookNow(): void {
    this.#lookIn(0);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #lookIn(delayMs: number): void {
    this.stop();
    this.#cancel = this.#parts.platform.setTimer(() => void this.#look(), delayMs);
  }

  async #look(): Promise<void> {
    this.#cancel = undefined;
    try {
      await this.#parts.look();
    } catch {
      // A database that cannot be read now is looked at again; a request that needs it reports the error.
    }
    this.keepLooking();
  }
}
