/** The entries of a log: how one is made, and how one becomes another. */
import type { JsonObject, MutationLogEntry } from '@objectql/sync-types';
import type { Platform } from '../platform/platform.js';
import type { StoredEntry } from '../storage/client-storage.js';
import { instantOf } from './instant.js';
import type { CheckedMutation } from './new-mutation.js';

/** An entry to be made: it gets its sequence when it is stored. */
export interface NewEntry {
  /** Checked, and the log's own to keep. */
  readonly input: CheckedMutation;
  /** How many automatic conflict resolutions lead to it; 0 for the user's own. */
  readonly round: number;
  /** Default: a fresh one. */
  readonly id?: string | undefined;
  /** ISO 8601; default: now. */
  readonly timestamp?: string;
  readonly copy?: JsonObject | undefined;
}

/** What a mutation already has when it was made before it is recorded. */
export interface MadeBefore {
  readonly id: string;
  /** ISO 8601. */
  readonly timestamp: string;
  /** What an update re-creates its record from, if the client has none; frozen. */
  readonly copy?: JsonObject | undefined;
}

/** What the log adds to an entry it makes. */
export interface EntryOrigin {
  readonly clientId: string;
  readonly sequence: number;
  /** Supplies the id and the time that the entry does not bring. */
  readonly platform: Pick<Platform, 'now' | 'newId'>;
}

/** The entry with its sequence. */
export function makeEntry(
  { input, round, id, timestamp, copy }: NewEntry,
  { clientId, sequence, platform }: EntryOrigin,
): StoredEntry {
  const { objectName, recordId, operation, data, baseVersion } = input;
  // In the order that compresses best in a list: first what most mutations have in common.
  const mutation: Writable<MutationLogEntry> = {
    clientId,
    objectName,
    operation,
    baseVersion,
    timestamp: timestamp ?? instantOf(platform.now()),
    id: id ?? platform.newId(),
    recordId,
    sequence,
  };
  if (data) mutation.data = data;
  return entryOf(mutation, { round, tries: 0, copy });
}

/** The entry with some facts of its mutation changed; frozen, so that storages in memory may share it. */
export function withFacts(entry: StoredEntry, facts: Partial<MutationLogEntry>): StoredEntry {
  return entryOf({ ...entry.mutation, ...facts }, entry);
}

type EntryFacts = Pick<StoredEntry, 'round' | 'tries'> & Pick<NewEntry, 'copy'>;

function entryOf(mutation: MutationLogEntry, { round, tries, copy }: EntryFacts): StoredEntry {
  Object.freeze(mutation);
  return Object.freeze(copy ? { mutation, round, tries, copy } : { mutation, round, tries });
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** The entry with an unknown base. */
export function withoutBase(entry: StoredEntry): StoredEntry {
  return entry.mutation.baseVersion === null ? entry : withFacts(entry, { baseVersion: null });
}
