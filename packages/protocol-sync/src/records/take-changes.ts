/** Takes writes that come past sync into the store, all that are given in one transaction. */
import { MAX_FIELDS, recordKey } from '@objectql/sync-types';
import type { RecordState, SyncStore } from '../storage/sync-store.js';
import { checkChange, type RecordChange, recordBytes, stateOfChange } from './record-change.js';

/** 10,000 changes: about a second in one transaction, while pushes wait. */
const MAX_CHANGES = 10_000;
/** 32 MiB: some seconds, and well below the 20 s after which PostgreSQL is told to give up. */
const MAX_CHANGES_BYTES = 32 * 1024 * 1024;

/** The result of a recorded change. */
export interface RecordedChange {
  /** The version of the record after the change; 0 for a record that never existed. */
  readonly serverVersion: number;
}

export interface TakeChangesParts {
  readonly store: SyncStore;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly maxRecordBytes: number;
  /** Throws for an object that is not synced, with a message that begins with `where`. */
  readonly refuseUnsynced: (objectName: string, where: string) => void;
  /** The beginning of an error message about the change at that index. */
  readonly whereOf: (index: number) => string;
}

/** Versions the changes in their order and puts them in the feed: all of them, or none when it throws. */
export async function takeChanges(
  changes: readonly RecordChange[],
  { store, now, maxRecordBytes, refuseUnsynced, whereOf }: TakeChangesParts,
): Promise<readonly RecordedChange[]> {
  if (!Array.isArray(changes)) throw new TypeError('recordChanges: pass a list of changes.');
  if (changes.length > MAX_CHANGES) {
    throw new RangeError(`recordChanges: ${changes.length} changes are more than ${MAX_CHANGES}. Pass them in parts.`);
  }
  const checked = changes.map((change, index) => checkChange(change, whereOf(index)));
  checked.forEach(({ objectName }, index) => void refuseUnsynced(objectName, whereOf(index)));
  return store.transaction(async (transaction) => {
    const { records, facts } = await transaction.load({ records: checked, mutationIds: [] });
    const stored = new Map<string, RecordState>(records.map((state) => [recordKey(state), state]));
    const written = new Map<string, RecordState>();
    let bytesWritten = 0;
    const recorded = checked.map((change, index) => {
      const key = recordKey(change);
      const before = written.get(key) ?? stored.get(key);
      const state = stateOfChange(change, before, { now, versionFloor: facts.versionFloor });
      if (!state) return { serverVersion: before?.version ?? 0 };
      const bytes = recordBytes(state.data);
      if (bytes > maxRecordBytes) {
        const bounds = `${maxRecordBytes} bytes or ${MAX_FIELDS} fields`;
        throw new RangeError(`${whereOf(index)}this ${change.objectName} is larger than ${bounds}.`);
      }
      bytesWritten += bytes;
      // A single record may be as large as the application allows.
      if (index > 0 && bytesWritten > MAX_CHANGES_BYTES) {
        throw new RangeError(
          `recordChanges: the records are more than ${MAX_CHANGES_BYTES} bytes. Pass them in parts.`,
        );
      }
      written.set(key, state);
      return { serverVersion: state.version };
    });
    if (written.size > 0) await transaction.save({ records: [...written.values()], isLast: true });
    return recorded;
  });
}
