/** How the data engine's rows hold sync's state. Casts trust the fields that `engine-objects.ts` defines. */
import { createHash } from 'node:crypto';
import type { RecordId, RecordRef } from '@objectql/sync-types';
import type { EngineRow } from '@objectql/sync-types/kernel';
import { decodeBookkeeping, decodeProvenance, encodeBookkeeping } from '../storage/record-encoding.js';
import type {
  FeedRecord,
  Intent,
  LedgerOutcome,
  LedgerRow,
  LogRow,
  RecordState,
  StoredRecord,
  StoreFacts,
} from '../storage/sync-store.js';

/** 16 digits hold every safe integer of JavaScript. */
const DIGITS = 16;

/** A number as a text that sorts as the number does. */
export function digits(value: number): string {
  return String(value).padStart(DIGITS, '0');
}

/** The id of a record's row, and of its intent's. */
export function recordRowId({ objectName, recordId }: RecordRef): string {
  return digest(JSON.stringify([objectName, recordId]));
}

/** The id of a mutation's or a log's row. */
export function rowId(id: string): string {
  return digest(id);
}

export function toFacts(row: EngineRow): StoreFacts {
  return {
    epoch: row.epoch as string,
    head: Number(row.head),
    floor: Number(row.floor),
    versionFloor: Number(row.version_floor),
  };
}

export function fromRecord(state: RecordState, place: number): EngineRow {
  const { objectName, recordId, version, changedAt, data } = state;
  return {
    id: recordRowId(state),
    object_name: objectName,
    record_id: JSON.stringify(recordId),
    place: digits(place),
    version: digits(version),
    changed_at: digits(changedAt),
    deleted_at: data ? null : digits(changedAt),
    data: data ? JSON.stringify(data) : null,
    bookkeeping: encodeBookkeeping(state),
  };
}

export function toRecord(row: EngineRow): StoredRecord {
  return {
    ...toPlace(row),
    data: typeof row.data === 'string' ? (JSON.parse(row.data) as StoredRecord['data']) : null,
    ...decodeBookkeeping(row.bookkeeping as string),
  };
}

export function toFeedRecord(row: EngineRow): FeedRecord {
  return {
    ...toPlace(row),
    data: (row.data ?? null) as string | null,
    ...decodeProvenance(row.bookkeeping as string),
  };
}

function toPlace(row: EngineRow) {
  return {
    objectName: row.object_name as string,
    recordId: JSON.parse(row.record_id as string) as RecordId,
    place: Number(row.place),
    version: Number(row.version),
    changedAt: Number(row.changed_at),
  };
}

export function fromLedgerRow(row: LedgerRow): EngineRow {
  return {
    id: rowId(row.mutationId),
    mutation_id: row.mutationId,
    log_id: row.logId,
    log_key: row.logId === null ? null : rowId(row.logId),
    sequence: digits(row.sequence),
    object_name: row.objectName,
    record_id: JSON.stringify(row.recordId),
    content_hash: String(row.contentHash),
    outcome: JSON.stringify(row.outcome),
    made_at: digits(row.at),
  };
}

export function toLedgerRow(row: EngineRow): LedgerRow {
  return {
    mutationId: row.mutation_id as string,
    logId: (row.log_id ?? null) as string | null,
    sequence: Number(row.sequence),
    objectName: row.object_name as string,
    recordId: JSON.parse(row.record_id as string) as RecordId,
    contentHash: Number(row.content_hash),
    outcome: JSON.parse(row.outcome as string) as LedgerOutcome,
    at: Number(row.made_at),
  };
}

export function fromLog({ logId, principal, floor, lastTime }: LogRow): EngineRow {
  return { id: rowId(logId), log_id: logId, principal, floor: digits(floor), last_time: digits(lastTime) };
}

export function toLogRow(row: EngineRow): LogRow {
  return {
    logId: row.log_id as string,
    principal: (row.principal ?? null) as string | null,
    floor: Number(row.floor),
    lastTime: Number(row.last_time),
  };
}

export function fromIntent(intent: Intent): EngineRow {
  return { id: recordRowId(intent), intent: JSON.stringify(intent) };
}

export function toIntent(row: EngineRow): Intent {
  return JSON.parse(row.intent as string) as Intent;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
