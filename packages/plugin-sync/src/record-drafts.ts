/** The base records as an answer leaves them: the higher version is kept, whatever the order it is told in. */
import { type JsonObject, type RecordRef, recordKey } from '@objectql/sync-types';
import type { BaseRecord, StorageBatch } from './storage/client-storage.js';

export class RecordDrafts {
  readonly #storedByKey: ReadonlyMap<string, BaseRecord>;
  readonly #walk: string | null;
  readonly #draftByKey = new Map<string, Draft>();

  /** `walk` is the walk the answer belongs to, if the feed is being walked anew. */
  constructor(storedByKey: ReadonlyMap<string, BaseRecord>, walk: string | null) {
    this.#storedByKey = storedByKey;
    this.#walk = walk;
  }

  /** The record as it stands now, drafts included. */
  get(ref: RecordRef): BaseRecord | undefined {
    const key = recordKey(ref);
    const draft = this.#draftByKey.get(key);
    return draft ? draft.record : this.#storedByKey.get(key);
  }

  /** The record as the server has it at that version, `null` when deleted; an older version changes nothing. */
  put({ objectName, recordId }: RecordRef, version: number, data: JsonObject | null): void {
    const ref = { objectName, recordId };
    const key = recordKey(ref);
    if (version < this.#seenVersion(key)) return;
    // Frozen, so that a storage in memory may keep this very object.
    const record = data === null ? undefined : Object.freeze({ objectName, recordId, version, data, walk: this.#walk });
    this.#draftByKey.set(key, { ref, version, record });
  }

  /** True for a stored record that the walk, at its end, has not seen: the server has it no more. */
  isSwept(ref: RecordRef): boolean {
    const record = this.get(ref);
    return record !== undefined && !this.#isSeen(record);
  }

  /** The records that are removed, as they were stored. */
  removed(): readonly BaseRecord[] {
    return [...this.#draftByKey].flatMap(([key, { record }]) => (record ? [] : (this.#storedByKey.get(key) ?? [])));
  }

  batch(): Pick<StorageBatch, 'putRecords' | 'removeRecords'> {
    const drafts = [...this.#draftByKey.values()];
    return {
      putRecords: drafts.flatMap(({ record }) => record ?? []),
      removeRecords: drafts.flatMap(({ ref, record }) => (record ? [] : [ref])),
    };
  }

  /** Of a draft also when it removes the record: an older change in the same answer does not bring it back. */
  #seenVersion(key: string): number {
    const draft = this.#draftByKey.get(key);
    if (draft) return draft.version;
    const stored = this.#storedByKey.get(key);
    return stored && this.#isSeen(stored) ? stored.version : 0;
  }

  /** A record this walk has not seen yet is from before the reset: whatever its version, it counts for nothing. */
  #isSeen(record: BaseRecord): boolean {
    return this.#walk === null || record.walk === this.#walk;
  }
}

interface Draft {
  readonly ref: RecordRef;
  readonly version: number;
  readonly record: BaseRecord | undefined;
}
