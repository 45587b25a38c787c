/** The base records as an answer leaves them: the higher version is kept, whatever the order it is told in. */
import { type JsonObject, type RecordRef, refOf } from '@objectql/sync-types';
import { RecordMap } from '../records/record-map.js';
import type { BaseRecord, StorageBatch } from '../storage/client-storage.js';
import { vouch } from '../storage/frozen-copy.js';

export class RecordDrafts {
  readonly #storedByRecord: RecordMap<BaseRecord>;
  readonly #walk: string | null;
  readonly #draftByRecord = new RecordMap<Draft>();

  /** `walk` is the walk the answer belongs to, if the feed is being walked anew. */
  constructor(storedByRecord: RecordMap<BaseRecord>, walk: string | null) {
    this.#storedByRecord = storedByRecord;
    this.#walk = walk;
  }

  /** The record as it stands now, drafts included. */
  get(ref: RecordRef): BaseRecord | undefined {
    const draft = this.#draftByRecord.get(ref);
    return draft ? keptOf(draft) : this.#storedByRecord.get(ref);
  }

  /**
   * The record as the server has it at that version, `null` when deleted; an older version changes nothing. `data` is frozen
   * through and through wherever it comes from: an answer, the log, or a storage that keeps the very values it is given.
   */
  put(ref: RecordRef, version: number, data: JsonObject | null): void {
    if (version < this.#seenVersion(ref)) return;
    const { objectName, recordId } = ref;
    // Frozen as well, so that a storage in memory may keep this very object.
    this.#draftByRecord.set(ref, Object.freeze({ objectName, recordId, version, data, walk: this.#walk }));
  }

  batch(): Required<Pick<StorageBatch, 'putRecords' | 'removeRecords'>> {
    const putRecords: BaseRecord[] = [];
    const removeRecords: RecordRef[] = [];
    for (const draft of this.#draftByRecord.values()) {
      const kept = keptOf(draft);
      if (kept) putRecords.push(kept);
      else removeRecords.push(refOf(draft));
    }
    return { putRecords: vouch(putRecords), removeRecords };
  }

  /** Of a draft also when it removes the record: an older change in the same answer does not bring it back. */
  #seenVersion(ref: RecordRef): number {
    const draft = this.#draftByRecord.get(ref);
    if (draft) return draft.version;
    const stored = this.#storedByRecord.get(ref);
    return stored && this.#isSeen(stored) ? stored.version : 0;
  }

  /** A record this walk has not seen yet is from before the reset: whatever its version, it counts for nothing. */
  #isSeen(record: BaseRecord): boolean {
    return this.#walk === null || record.walk === this.#walk;
  }
}

/** Without data where the record is removed. */
type Draft = Omit<BaseRecord, 'data'> & { readonly data: JsonObject | null };

function keptOf(draft: Draft): BaseRecord | undefined {
  // As is looked at.
  return draft.data ? (draft as BaseRecord) : undefined;
}
