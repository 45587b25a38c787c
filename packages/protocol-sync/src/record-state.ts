/** The pure arithmetic of a record's state: whose a field is, and what a write makes of it. */
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
import type { RecordState } from './storage/sync-store.js';

/** The lineage of writes that come past sync. */
export const SERVER_LOG_ID = 'server';

/** A write that has been decided: what it does, whose it is, and where it comes from. */
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

/** The write a field's present value comes from, with its version; `undefined` for a field that has none. */
export function fieldWrite(state: RecordState, field: string): (WriteStamp & { readonly version: number }) | undefined {
  // ownValue reads past nothing but own fields: a record may have a field named `constructor`.
  const version = ownValue(state.fields, field) as number | undefined;
  const stamp = version === undefined ? undefined : state.writes[version];
  return stamp && version !== undefined ? { ...stamp, version } : undefined;
}

/** True when `stamp` is an earlier mutation of the same log: a client never conflicts with its own past. */
export function isOwnEarlier(stamp: WriteStamp, write: WriteStamp): boolean {
  return stamp.logId === write.logId && stamp.sequence < write.sequence;
}

/** True when the record already carries a later mutation of the same log: this one comes too late to keep their order. */
export function isOvertaken(state: RecordState, write: WriteStamp): boolean {
  const isLater = (stamp: WriteStamp) => stamp.logId === write.logId && stamp.sequence > write.sequence;
  if (isLater(state.bornBy) || (state.deleted && isLater(state.deleted))) return true;
  for (const version of Object.keys(state.writes)) {
    const stamp = state.writes[Number(version)];
    if (stamp && isLater(stamp)) return true;
  }
  return false;
}

/** What the write makes of the record. `versionFloor` is the version above which an unknown record starts. */
export function writeRecord(before: RecordState | undefined, write: DecidedWrite, versionFloor: number): RecordState {
  const version = (before?.version ?? versionFloor) + 1;
  const { objectName, recordId, stamp, changedAt, origin } = write;
  const run = before && before.run.logId === stamp.logId ? before.run : { logId: stamp.logId, from: version };
  const common = { objectName, recordId, version, run, changedAt, origin };
  if (write.operation === 'delete' && before) {
    const { born, bornBy } = before;
    return { ...common, born, bornBy, data: null, deleted: stamp, fields: {}, writes: {} };
  }
  if (write.operation === 'create' || !before?.data) {
    const fields = stampFields({}, Object.keys(write.data), version);
    return {
      ...common,
      born: version,
      bornBy: stamp,
      data: write.data,
      deleted: null,
      fields,
      writes: { [version]: stamp },
    };
  }
  const stamped = Object.keys(write.data).filter((field) => !isHeldByLaterWrite(field, before, write));
  const fields = stampFields(before.fields, stamped, version);
  return {
    ...common,
    born: before.born,
    bornBy: before.bornBy,
    data: { ...before.data, ...write.data },
    deleted: null,
    fields,
    // Its own write too where it stamps nothing: what a resolver then changes is stamped with it.
    writes: { ...keepNamed(before.writes, fields), [version]: stamp },
  };
}

/**
 * True for a field to which a later write gave the same value: it stays that write's, or an earlier write than that one, which
 * happens to arrive next, would take the value from it.
 */
function isHeldByLaterWrite(field: string, before: RecordState, { data, stamp }: DecidedWrite): boolean {
  const last = fieldWrite(before, field);
  if (!last || compareWrites(last, stamp) <= 0) return false;
  return jsonEquals(ownValue(data, field), ownValue(before.data ?? {}, field));
}

/** The state with the record the resolver says it stored in place of the computed one; what differs is stamped as this write's. */
export function withStoredRecord(state: RecordState, stored: JsonObject): RecordState {
  const computed = state.data ?? {};
  const changed = Object.keys(stored).filter(
    (field) => !Object.hasOwn(computed, field) || !jsonEquals(stored[field], computed[field]),
  );
  const kept = Object.fromEntries(Object.entries(state.fields).filter(([field]) => Object.hasOwn(stored, field)));
  const fields = stampFields(kept, changed, state.version);
  const stamp = state.writes[state.version] ?? state.bornBy;
  return { ...state, data: stored, fields, writes: keepNamed({ ...state.writes, [state.version]: stamp }, fields) };
}

/** The fields of `data` whose value is another than in `before`: what a write that came past sync changed. */
export function changedFields(before: JsonObject | null, data: JsonObject): JsonObject {
  const changed: Record<string, Json> = {};
  for (const [field, value] of Object.entries(data)) {
    if (!before || !Object.hasOwn(before, field) || !jsonEquals(before[field], value)) changed[field] = value;
  }
  return changed;
}

function stampFields(fields: Readonly<Record<string, number>>, written: readonly string[], version: number) {
  const stamped: Record<string, number> = { ...fields };
  for (const field of written) stamped[field] = version;
  return stamped;
}

/** A record's bookkeeping grows with its fields, never with its history. */
function keepNamed(writes: Readonly<Record<number, WriteStamp>>, fields: Readonly<Record<string, number>>) {
  const named = new Set(Object.values(fields));
  const kept: Record<number, WriteStamp> = {};
  for (const version of Object.keys(writes)) {
    const stamp = writes[Number(version)];
    if (stamp && named.has(Number(version))) kept[Number(version)] = stamp;
  }
  return kept;
}
