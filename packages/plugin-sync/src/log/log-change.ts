/** What a change of the log consists of, beside what it writes to the storage as it is. */
import type { ClientMeta, StorageBatch } from '../storage/client-storage.js';
import type { NewEntry } from './log-entry.js';

/** What becomes durable together or not at all. */
export interface LogChange {
  readonly batch?: Omit<StorageBatch, 'meta'>;
  /** The facts that change. */
  readonly meta?: Partial<Omit<ClientMeta, 'logId' | 'nextSequence'>>;
  /**
   * The entries to be made. Called when the change has its turn, and again where another tab has changed the state meanwhile;
   * throws when the change is not due any more.
   */
  readonly newEntries?: () => readonly NewEntry[];
  /** True when versions from before count for nothing any more: neither what is pending nor what waits for the user keeps its own. */
  readonly forgetBases?: boolean;
}
