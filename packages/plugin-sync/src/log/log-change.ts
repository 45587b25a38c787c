/** A change of the log: what it writes to the storage as it is, and what the log adds. */
import type { ClientMeta, StorageBatch } from '../storage/client-storage.js';
import type { NewEntry } from './log-entry.js';

/** What becomes durable together or not at all. */
export interface LogChange {
  readonly batch?: Omit<StorageBatch, 'meta'>;
  /** The facts that change. */
  readonly meta?: Partial<Omit<ClientMeta, 'logId' | 'nextSequence'>>;
  /**
   * The entries to make. Called when the change has its turn, and again if another tab has changed the state meanwhile;
   * throws when the change is no longer due.
   */
  readonly newEntries?: () => readonly NewEntry[];
  /** True when earlier versions no longer count: pending entries and what waits for the user lose theirs. */
  readonly forgetBases?: boolean;
}
