/** What a change of the log consists of, beside what it writes to the storage as it is. */
import type { JsonObject, MutationLogEntry } from '@objectql/sync-types';
import type { NewMutation } from './new-mutation.js';
import type { ClientMeta, StorageBatch, StoredEntry } from './storage/client-storage.js';

/** An entry to be made: it gets its sequence when it is stored. */
export interface NewEntry {
  /** Checked, and the log's own to keep. */
  readonly input: NewMutation & { readonly data?: JsonObject | undefined };
  /** How many automatic conflict resolutions lead to it; 0 for the user's own. */
  readonly round: number;
  /** Default: a fresh one. */
  readonly id?: string;
  /** ISO 8601; default: now. */
  readonly timestamp?: string;
}

/** What becomes durable together or not at all. */
export interface LogChange {
  readonly batch?: Omit<StorageBatch, 'meta'>;
  /** The facts that change. */
  readonly meta?: Partial<Omit<ClientMeta, 'logId' | 'nextSequence'>>;
  readonly newEntries?: readonly NewEntry[];
  /** True when versions from before count for nothing any more: no pending entry keeps its base. */
  readonly forgetBases?: boolean;
  /** Called when another tab has changed the state meanwhile: throws when this change is not due any more. */
  readonly recheck?: () => void;
}

/** The entry, still without its sequence. */
export function makeEntry(
  { input, round, id, timestamp }: NewEntry,
  made: { readonly clientId: string; readonly id: string; readonly now: number },
): StoredEntry {
  const { objectName, recordId, operation, data, baseVersion } = input;
  const mutation: MutationLogEntry = {
    id: id ?? made.id,
    objectName,
    recordId,
    operation,
    ...(data === undefined ? {} : { data }),
    timestamp: timestamp ?? new Date(made.now).toISOString(),
    clientId: made.clientId,
    sequence: 0,
    baseVersion,
  };
  return { mutation, round, tries: 0 };
}

/** The entry with an unknown base. */
export function withoutBase(entry: StoredEntry): StoredEntry {
  if (entry.mutation.baseVersion === null) return entry;
  const mutation: MutationLogEntry = Object.freeze({ ...entry.mutation, baseVersion: null });
  return { ...entry, mutation };
}
