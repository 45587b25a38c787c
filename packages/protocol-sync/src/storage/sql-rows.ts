/**
 * How to read the rows of SQL stores, which use the same column names. Casts to a row's type trust the columns that
 * `postgres-schema.ts` and `sqlite-schema.ts` create.
 */
import type { RecordId } from '@objectql/sync-types';
import { decodeBookkeeping, decodeProvenance } from './record-encoding.js';
import type { FeedRecord, LedgerOutcome, LedgerRow, LogRow, StoredRecord, StoreFacts } from './sync-store.js';

/**
 * A 64-bit integer as a driver reads it: text by `pg`, a number by SQLite's drivers, or what the application has set.
 */
export type Int8 = string | number | bigint;

export interface RecordColumns {
  readonly object_name: string;
  readonly record_id: string;
  readonly place: Int8;
  readonly version: Int8;
  readonly changed_at: Int8;
  readonly data: string | null;
  readonly bookkeeping: string;
}

export interface LedgerColumns {
  readonly mutation_id: string;
  readonly log_id: string | null;
  readonly sequence: Int8;
  readonly object_name: string;
  readonly record_id: string;
  readonly content_hash: string;
  readonly outcome: string;
  readonly at: Int8;
}

export interface LogColumns {
  readonly log_id: string;
  readonly principal: string | null;
  readonly floor: Int8;
  readonly last_time: Int8;
}

export interface FeedColumns {
  readonly epoch: string;
  readonly head: Int8;
  readonly floor: Int8;
  readonly version_floor: Int8;
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
