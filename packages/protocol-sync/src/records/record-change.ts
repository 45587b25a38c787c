/** Lets writes that come past sync (REST, jobs, hooks) enter the feed in the same way as mutations. */
import { type JsonObject, MAX_FIELDS, type MutationOperation, type RecordRef, utf8Bytes } from '@objectql/sync-types';
import {
  identifierSchema,
  mutationOperationSchema,
  recordDataSchema,
  recordIdSchema,
} from '@objectql/sync-types/schema';
import { z } from 'zod';
import type { RecordState } from '../storage/sync-store.js';
import { changedFields, type DecidedWrite, SERVER_LOG_ID, writeRecord } from './record-state.js';

/**
 * A write past sync, which was already made to the application's record if that is in a table of its own:
 * `{ objectName: 'site', recordId: 's1', operation: 'create', data: { name: 'Mill' } }`.
 */
export interface RecordChange extends RecordRef {
  readonly operation: MutationOperation;
  /** The whole record or the changed fields; absent for a delete. */
  readonly data?: JsonObject | undefined;
}

const recordChangeSchema = z.strictObject({
  objectName: identifierSchema,
  recordId: recordIdSchema,
  operation: mutationOperationSchema,
  data: recordDataSchema.optional(),
});

/** The change, checked; throws `TypeError` for a malformed one, with a message that begins with `where`. */
export function checkChange(change: RecordChange, where: string): RecordChange {
  const parsed = recordChangeSchema.safeParse(change);
  if (!parsed.success) throw new TypeError(`${where}${problemOf(parsed.error)}.`);
  return parsed.data;
}

/** The record's state after a change that came past sync; `undefined` when the change changes nothing. */
export function stateOfChange(
  { operation, data = {}, ...ref }: RecordChange,
  before: RecordState | undefined,
  moment: Moment,
): RecordState | undefined {
  const written = effectOf(operation, data, before);
  return written && pastSync({ ...ref, ...written }, before, moment);
}

/** The state of a record that was deleted and created again past sync, when only the new record is known. */
export function madeAnew(
  ref: RecordRef,
  data: JsonObject,
  { before, ...moment }: Moment & { readonly before: RecordState | undefined },
): RecordState {
  return pastSync({ ...ref, operation: 'create', data }, before, moment);
}

/** When a change is taken (epoch milliseconds), and the version above which an unknown record starts. */
interface Moment {
  readonly now: number;
  readonly versionFloor: number;
}

function pastSync(
  { objectName, recordId, operation, data }: Pick<DecidedWrite, 'objectName' | 'recordId' | 'operation' | 'data'>,
  before: RecordState | undefined,
  { now, versionFloor }: Moment,
): RecordState {
  const stamp = { time: now, logId: SERVER_LOG_ID, sequence: (before?.version ?? 0) + 1 };
  const write = { objectName, recordId, operation, data, stamp, changedAt: now, origin: null };
  return writeRecord(before, write, versionFloor);
}

/** Why a record of the application cannot be synced, if there is a reason. */
export function findUnfit(change: RecordChange, maxRecordBytes: number): string | undefined {
  const parsed = recordChangeSchema.safeParse(change);
  if (!parsed.success) return problemOf(parsed.error);
  const { data = null } = parsed.data;
  return recordBytes(data) > maxRecordBytes
    ? `it is larger than ${maxRecordBytes} bytes or ${MAX_FIELDS} fields`
    : undefined;
}

function problemOf({ issues }: z.ZodError): string {
  const [issue] = issues;
  return `${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is malformed'}`;
}

/** Bytes of a record as JSON; infinite when it has more fields than sync accepts. */
export function recordBytes(data: JsonObject | null): number {
  return Object.keys(data ?? {}).length > MAX_FIELDS ? Number.POSITIVE_INFINITY : utf8Bytes(JSON.stringify(data));
}

function effectOf(operation: MutationOperation, data: JsonObject, before: RecordState | undefined) {
  const live = before?.data ?? null;
  if (operation === 'delete') return live ? { operation, data: {} } : undefined;
  if (!live) return { operation: 'create' as const, data };
  const changed = changedFields(live, data);
  return Object.keys(changed).length === 0 ? undefined : { operation: 'update' as const, data: changed };
}
