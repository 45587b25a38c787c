/** How the SQLite store's rows read and write. Casts to a row's type trust the columns that `sqlite-schema.ts` creates. */
import type { RecordId, RecordRef } from '@objectql/sync-types';
import { decodeBookkeeping, decodeProvenance } from '../record-encoding.js';
import type { FeedRecord, LedgerOutcome, LedgerRow, LogRow, StoredRecord, StoreFacts } from '../sync-store.js';

/** A number as SQLite's drivers read it by themselves, or a bigint where the application told its handle to. */
export type SqliteInteger = number | bigint;

export const RECORD_COLUMNS = 'place, object_name, record_id, version, changed_at, data, bookkeeping';
export const LEDGER_COLUMNS = 'mutation_id, log_id, sequence, object_name, record_id, content_hash, outcome, at';

export interface RecordColumns {
  readonly place: SqliteInteger;
  readonly object_name: string;
  readonly record_id: string;
  readonly version: SqliteInteger;
  readonly changed_at: SqliteInteger;
  readonly data: string | null;
  readonly bookkeeping: string;
}

export interface LedgerColumns {
  readonly mutation_id: string;
  readonly log_id: string | null;
  readonly sequence: SqliteInteger;
  readonly object_name: string;
  readonly record_id: string;
  readonly content_hash: string;
  readonly outcome: string;
  readonly at: SqliteInteger;
}

export interface LogColumns {
  readonly log_id: string;
  readonly principal: string | null;
  readonly floor: SqliteInteger;
  readonly last_time: SqliteInteger;
}

export interface FeedColumns {
  readonly epoch: string;
  readonly head: SqliteInteger;
  readonly floor: SqliteInteger;
  readonly version_floor: SqliteInteger;
}

/** A record's name as its two columns hold it: `1` and `"1"` are two texts. */
export function keyColumns({ objectName, recordId }: RecordRef): readonly [objectName: string, recordId: string] {
  return [objectName, JSON.stringify(recordId)];
}

export function toRecord(row: RecordColumns): StoredRecord {
  return {
    objectName: row.object_name,
    recordId: JSON.parse(row.record_id) as RecordId,
    place: Number(row.place),
    version: Number(row.version),
    changedAt: Number(row.changed_at),
    data: row.data === null ? null : (JSON.parse(row.data) as StoredRecord['data']),
    ...decodeBookkeeping(row.bookkeeping),
  };
}

export function toFeedRecord(row: RecordColumns): FeedRecord {
  return {
    objectName: row.object_name,
    recordId: JSON.parse(row.record_id) as RecordId,
    place: Number(row.place),
    version: Number(row.version),
    data: row.data,
    changedAt: Number(row.changed_at),
    ...decodeProvenance(row.bookkeeping),
  };
}

export function toLedgerRow(row: LedgerColumns): LedgerRow {
  return {
    mutationId: row.mutation_id,
    logId: row.log_id,
    sequence: Number(row.sequence),
    objectName: row.object_name,
    recordId: JSON.parse(row.record_id) as RecordId,
    contentHash: Number(row.content_hash),
    outcome: JSON.parse(row.outcome) as LedgerOutcome,
    at: Number(row.at),
  };
}

export function toLogRow(row: LogColumns): LogRow {
  return { logId: row.log_id, principal: row.principal, floor: Number(row.floor), lastTime: Number(row.last_time) };
}

export function toFacts({ epoch, head, floor, version_floor: versionFloor }: FeedColumns): StoreFacts {
  return { epoch, head: Number(head), floor: Number(floor), versionFloor: Number(versionFloor) };
}
