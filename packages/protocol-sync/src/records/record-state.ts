/** The pure arithmetic of a record's state: which write a field comes from, and what a write changes. */
import {
  compareWrites,
  type Json,
  type JsonObject,
  jsonEquals,
  type MutationOperation,
  ownValue,
  type RecordRef,
  type WriteStamp,
} from '@objectql/sync-types';
import type { FieldsWrite, RecordState } from '../storage/sync-store.js';

/** The lineage of writes that come past sync. */
export const SERVER_LOG_ID = 'server';

/** A decided write: what it does, whose it is, and where it comes from. */
export interface DecidedWrite extends RecordRef {
  /** `create` begins a new incarnation; a create that met a live record is decided as an `update`. */
  readonly operation: MutationOperation;
  /** The fields to write; empty for a delete. */
  readonly data: JsonObject;
  readonly stamp: WriteStamp;
  /** Epoch milliseconds by the server's clock. */
  readonly changedAt: number;
  readonly origin: RecordState['origin'];
}

/** The write that gave a field its present value; `undefined` for a missing field. */
export function fieldWrite({ data, writes }: RecordState, field: string): FieldsWrite | undefined {
  const named = writes.find(({ fields }) => fields?.includes(field));
  if (named || !data || !Object.hasOwn(data, field)) return named;
  return writes.find(({ fields }) => fields === null);
}

/** The write that made the present version. */
export function latestWrite({ version, writes, deleted, bornBy }: RecordState): WriteStamp {
  const last = writes.at(-1);
  return last?.version === version ? last.stamp : (deleted ?? bornBy);
}

/** True when `stamp` is an earlier mutation of the same log: a client never conflicts with its own past. */
export function isOwnEarlier(stamp: WriteStamp, write: WriteStamp): boolean {
  return stamp.logId === write.logId && stamp.sequence < write.sequence;
}

/** True when the record already has a later mutation of the same log: this one is too late to keep their order. */
export function isOvertaken({ bornBy, deleted, writes }: RecordState, write: WriteStamp): boolean {
  const isLater = (stamp: WriteStamp) => stamp.logId === write.logId && stamp.sequence > write.sequence;
  return isLater(bornBy) || (deleted !== null && isLater(deleted)) || writes.some(({ stamp }) => isLater(stamp));
}

/** The record after the write. `versionFloor` is the version above which an unknown record starts. */
export function writeRecord(before: RecordState | undefined, write: DecidedWrite, versionFloor: number): RecordState {
  const { stamp, data } = write;
  const version = (before?.version ?? versionFloor) + 1;
  if (write.operation === 'delete' && before) {
    const { born, bornBy } = before;
    return written(before, write, { version, born, bornBy, data: null, deleted: stamp, writes: [] });
  }
  if (write.operation === 'create' || !before?.data) {
    const writes = [{ version, stamp, fields: null }];
    return written(before, write, { version, born: version, bornBy: stamp, data, deleted: null, writes });
  }
  const { born, bornBy } = before;
  const merged = { ...before.data, ...data };
  // It is the record's own write even if it stamps no field: the resolver's changes are then stamped with it.
  const own = { version, stamp, fields: fieldsToStamp(before, write) };
  const writes = [...withoutFields(before.writes, own.fields, merged), own];
  return written(before, write, { version, born, bornBy, data: merged, deleted: null, writes });
}

type Made = Pick<RecordState, 'version' | 'born' | 'bornBy' | 'data' | 'deleted' | 'writes'>;

/** Property by property: spreading the state was the most expensive of all that a push does to a record. */
function written(before: RecordState | undefined, write: DecidedWrite, made: Made): RecordState {
  const { logId } = write.stamp;
  return {
    objectName: write.objectName,
    recordId: write.recordId,
    version: made.version,
    born: made.born,
    bornBy: made.bornBy,
    data: made.data,
    deleted: made.deleted,
    writes: made.writes,
    run: before && before.run.logId === logId ? before.run : { logId, from: made.version },
    changedAt: write.changedAt,
    origin: write.origin,
  };
}

/**
 * The fields that get this write's stamp. A field that a later write set to the same value keeps that write's stamp.
 * Otherwise a write that is earlier than that one but arrives next would overwrite the value.
 */
function fieldsToStamp(before: RecordState, { data, stamp }: DecidedWrite): readonly string[] {
  const fields = Object.keys(data);
  if (!before.writes.some((last) => compareWrites(last.stamp, stamp) > 0)) return fields;
  return fields.filter((field) => {
    const last = fieldWrite(before, field);
    if (!last || compareWrites(last.stamp, stamp) <= 0) return true;
    return !jsonEquals(ownValue(data, field), ownValue(before.data ?? {}, field));
  });
}

/**
 * The state with the record that the resolver stored, not the computed one; differing fields get this write's stamp.
 */
export function withStoredRecord(state: RecordState, stored: JsonObject): RecordState {
  const computed = state.data ?? {};
  const changed = Object.keys(stored).filter((field) => !jsonEquals(stored[field], ownValue(computed, field)));
  const last = state.writes.at(-1);
  const isOwn = last?.version === state.version;
  // For a create `null`, which then covers the record's other fields.
  const named = isOwn ? last.fields : [];
  const fields = named && [...new Set([...named, ...changed])].filter((field) => Object.hasOwn(stored, field));
  const own = { version: state.version, stamp: latestWrite(state), fields };
  const others = withoutFields(isOwn ? state.writes.slice(0, -1) : state.writes, fields ?? [], stored);
  return { ...state, data: stored, writes: [...others, own] };
}

/** The fields of `data` whose value differs from `before`: what a write that came past sync changed. */
export function changedFields(before: JsonObject | null, data: JsonObject): JsonObject {
  const changed: Record<string, Json> = {};
  for (const [field, value] of Object.entries(data)) {
    if (!jsonEquals(ownValue(before ?? {}, field), value)) changed[field] = value;
  }
  return changed;
}

/**
 * The writes after the fields `taken` went to another write, when the record holds `data`: a record's bookkeeping grows
 * with its fields, never with its history.
 */
function withoutFields(
  writes: readonly FieldsWrite[],
  taken: readonly string[],
  data: JsonObject,
): readonly FieldsWrite[] {
  const others = new Set(taken);
  const kept: FieldsWrite[] = [];
  let named = others.size;
  for (const write of writes) {
    const fields = write.fields?.filter((field) => !others.has(field) && Object.hasOwn(data, field)) ?? null;
    if (fields?.length === 0) continue;
    named += fields?.length ?? 0;
    kept.push(fields && fields.length < (write.fields?.length ?? 0) ? { ...write, fields } : write);
  }
  // Every field has a write: if all are named, nothing is left for the write with `null`.
  return named < Object.keys(data).length ? kept : kept.filter(({ fields }) => fields !== null);
}
