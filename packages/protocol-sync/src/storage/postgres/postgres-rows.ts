/** How the PostgreSQL store's rows read. Casts to a row's type trust the columns that `postgres-schema.ts` creates. */
import type { RecordId } from '@objectql/sync-types';
import { decodeBookkeeping, decodeProvenance } from '../record-encoding.js';
import type { FeedRecord, LedgerOutcome, LedgerRow, LogRow, StoredRecord, StoreFacts } from '../sync-store.js';

/** A bigint: text as `pg` reads it by itself, a number or a bigint where the application changed that. */
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

/** The feed as a transaction leaves it; all `null` where it took no places. */
export type TakenColumns = Pick<FeedColumns, 'epoch' | 'head'> | { readonly head: null };

/** All that a transaction loads, as JSON texts, `null` for nothing; and how many rows of each table it has locked. */
export interface LoadColumns extends FeedColumns {
  readonly locked_logs: Int8;
  readonly locked_records: Int8;
  readonly locked_intents: Int8;
  readonly records: string | null;
  readonly intents: string | null;
  readonly ledger: string | null;
  readonly log: string | null;
}

/** The feed's facts beside one record of a page; without one where the page is empty. */
export type PageColumns = { readonly epoch: string; readonly head: Int8 } & {
  readonly feed_floor: Int8;
  readonly version_floor: Int8;
} & (RecordColumns | { readonly place: null });

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
