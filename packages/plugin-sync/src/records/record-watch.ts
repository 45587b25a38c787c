/** Keeps one listener up to date with what it watches. */
import { type RecordRef, recordKey } from '@objectql/sync-types';
import { callContained } from '../listeners/call-contained.js';

export type Changed = readonly RecordRef[] | 'all';

export interface RecordWatchParts<Seen> {
  /** Reads what the listener is to see, given what changed since it last looked. */
  readonly look: (changed: Changed) => Promise<Seen>;
  readonly listener: (seen: Seen) => unknown;
  readonly onFailed: (error: unknown) => void;
}

/**
 * Looks one at a time, so that a listener never hears an older state last, and only once for all that changed
 * meanwhile.
 */
export class RecordWatch<Seen> {
  readonly #parts: RecordWatchParts<Seen>;
  #due: Map<string, RecordRef> | 'all' | undefined;
  #isLooking = false;
  #isStopped = false;

  constructor(parts: RecordWatchParts<Seen>) {
    this.#parts = parts;
  }

  /** Looks at what changed; an empty list makes it look only if the last look failed. */
  changed(changed: Changed): void {
    if (changed === 'all' || this.#due === 'all') this.#due = 'all';
    else if (changed.length > 0) {
      this.#due ??= new Map();
      for (const ref of changed) this.#due.set(recordKey(ref), ref);
    }
    if (this.#due && !this.#isLooking) void this.#lookAtAll();
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #lookAtAll(): Promise<void> {
    const { look, listener, onFailed } = this.#parts;
    this.#isLooking = true;
    // Gathers what one turn of the event loop changes.
    await Promise.resolve();
    while (this.#due && !this.#isStopped) {
      const due = this.#due;
      this.#due = undefined;
      try {
        const seen = await look(due === 'all' ? due : [...due.values()]);
        if (!this.#isStopped) callContained(() => listener(seen), onFailed);
      } catch (error) {
        // What was missed is looked at with the next change, or when the storage works again.
        this.#due = 'all';
        onFailed(error);
        break;
      }
    }
    this.#isLooking = false;
  }
}
