/** The store's records, as the application's own server code reads them. */
import type { JsonObject, RecordRef } from '@objectql/sync-types';
import { recordIdSchema } from '@objectql/sync-types/schema';
import type { FeedRecord, SyncStore } from '../storage/sync-store.js';

/** A record as the store has it: `{ objectName: 'site', recordId: 's1', data: { name: 'Mill' }, version: 1 }`. */
export interface SyncedRecord extends RecordRef {
  readonly data: JsonObject;
  /** The record's own counter: one more with each write. */
  readonly version: number;
}

/** Which part of an object's records to list. */
export interface ListQuery {
  /** The `nextCursor` of the page before; absent or `null` for the first page. */
  readonly cursor?: string | null | undefined;
  /** Records of a page, at most 1,000. Default 100. */
  readonly limit?: number | undefined;
}

/** One page of an object's records. */
export interface RecordPage {
  /** In the order of their latest changes. Fewer than `limit`, perhaps none, if some of them were deleted. */
  readonly records: readonly SyncedRecord[];
  /** The cursor for the next page; `null` after the last one. */
  readonly nextCursor: string | null;
}

/** 100 records: what a person looks through. */
const DEFAULT_LIMIT = 100;
/** 1,000 records: a quarter of a gigabyte at their largest size. */
const MAX_LIMIT = 1000;

/** The record, or `undefined` when there is none. */
export async function getSyncedRecord(store: SyncStore, ref: RecordRef): Promise<SyncedRecord | undefined> {
  if (!recordIdSchema.safeParse(ref.recordId).success) {
    throw new TypeError('getRecord: the id of a record is a non-empty text or an integer.');
  }
  // A store reads a single record only in a transaction.
  const { records } = await store.transaction((transaction) => transaction.load({ records: [ref], mutationIds: [] }));
  const [record] = records;
  return record?.data ? { ...ref, data: record.data, version: record.version } : undefined;
}

/** One page of the object's records. */
export async function listSyncedRecords(
  store: SyncStore,
  objectName: string,
  { cursor, limit = DEFAULT_LIMIT }: ListQuery,
): Promise<RecordPage> {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw new RangeError(`listRecords: limit must be a whole number from 1 to ${MAX_LIMIT}.`);
  }
  const after = Number(cursor ?? 0);
  if (!Number.isSafeInteger(after)) throw new TypeError('listRecords: cursor must be the nextCursor of another page.');
  const { records } = await store.page({ after, limit, objects: [objectName] });
  const last = records.at(-1);
  return {
    records: records.flatMap(toSyncedRecord),
    nextCursor: last && records.length === limit ? String(last.place) : null,
  };
}

function toSyncedRecord({ objectName, recordId, data, version }: FeedRecord): readonly SyncedRecord[] {
  return data === null ? [] : [{ objectName, recordId, data: JSON.parse(data) as JsonObject, version }];
}
