/** The base records after an answer: the higher version wins, in whatever order they come. */
import { type JsonObject, RecordMap, type RecordRef, refOf } from '@objectql/sync-types';
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
   * Sets the record to what the server has at that version, `null` when deleted; an older version changes nothing.
   * `data` is always deeply frozen: an answer, the log, and a storage that hands out its own values all freeze it.
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

  /** A draft that removes the record counts too: an older change in the same answer does not bring it back. */
  #seenVersion(ref: RecordRef): number {
    const draft = this.#draftByRecord.get(ref);
    if (draft) return draft.version;
    const stored = this.#storedByRecord.get(ref);
    return stored && this.#isSeen(stored) ? stored.version : 0;
  }

  /** A record that this walk has not seen yet is from before the reset: its version does not count. */
  #isSeen(record: BaseRecord): boolean {
    return this.#walk === null || record.walk === this.#walk;
  }
}

/** Without data if the record is removed. */
type Draft = Omit<BaseRecord, 'data'> & { readonly data: JsonObject | null };

function keptOf(draft: Draft): BaseRecord | undefined {
  // `data` was just checked.
  return draft.data ? (draft as BaseRecord) : undefined;
}
