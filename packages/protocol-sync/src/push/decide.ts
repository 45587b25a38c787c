/**
 * What becomes of one mutation: a pure function of the mutation, the stored record and the object's rules.
 *
 * | incoming ↓ stored → | live, no foreign field | live, foreign fields    | deleted                 | never existed |
 * | ------------------- | ---------------------- | ----------------------- | ----------------------- | ------------- |
 * | create              | write as an update     | strategy, create-create | write a new incarnation | write         |
 * | update              | write                  | strategy, update-update | strategy, update-delete | NOT_FOUND     |
 * | delete              | write                  | strategy, delete-update | nothing changes         | NOT_FOUND     |
 *
 * A create equal to the live record changes nothing. A base older than the present incarnation, which somebody else
 * created, is the contest `stale-incarnation`: a field that this incarnation lacks has no stamp that shows the conflict.
 */
import {
  type ConflictKind,
  type Contest,
  type Json,
  type JsonObject,
  jsonEquals,
  type MutationLogEntry,
  type MutationOperation,
  manual,
  ownValue,
  type RejectionCode,
  type Strategy,
  type Verdict,
  type WriteStamp,
} from '@objectql/sync-types';
import { fieldWrite, isOvertaken, isOwnEarlier } from '../records/record-state.js';
import type { FieldsWrite, RecordState } from '../storage/sync-store.js';

/** How an object's conflicts are decided here. */
export interface ConflictRules {
  /** Absent when the server has none: it then reports a conflict, and the client's own strategy decides. */
  readonly strategy?: Strategy | undefined;
  /** The fields that count as conflicting; absent means all of them. */
  readonly conflictFields?: readonly string[] | undefined;
}

export type Decision =
  | {
      readonly do: 'write';
      readonly operation: MutationOperation;
      readonly data: JsonObject;
      readonly droppedFields: readonly string[];
      /** True when the write differs from what the mutation said. */
      readonly altered: boolean;
    }
  /** The mutation counts as applied and the record stays as it is. */
  | { readonly do: 'keep'; readonly droppedFields: readonly string[] }
  | { readonly do: 'conflict'; readonly contest: Contest }
  | Refusal;

interface Refusal {
  readonly do: 'reject';
  readonly code: RejectionCode;
  readonly reason: string;
}

/** A mutation that arrives, with the stamp it would write. */
export interface Arriving {
  readonly mutation: MutationLogEntry;
  readonly stamp: WriteStamp;
  /** What its caller may see of the record; absent means all. Guesses at the rest are neither confirmed nor denied. */
  readonly view?: JsonObject | null | undefined;
}

/** Decides one mutation; `before` is the record as it stands, if it ever existed. */
export function decide(arriving: Arriving, before: RecordState | undefined, rules: ConflictRules): Decision {
  const { mutation, stamp } = arriving;
  if (!before) {
    return mutation.operation === 'create' ? write('create', mutation.data ?? {}) : notFound(mutation);
  }
  const base = mutation.baseVersion ?? 0;
  if (base > before.version) {
    return reject('INVALID', `baseVersion ${base} is ahead of the record's version ${before.version}.`);
  }
  if (isOvertaken(before, stamp)) {
    return reject('OUTCOME_EXPIRED', 'A later mutation of the same log was already applied to this record.');
  }
  const incoming = { mutation, stamp, view: arriving.view, base };
  return isLive(before) ? decideOnLive(incoming, before, rules) : decideOnDeleted(incoming, before, rules);
}

type LiveRecord = RecordState & { readonly data: JsonObject };

function isLive(record: RecordState): record is LiveRecord {
  return record.data !== null;
}

interface Incoming extends Arriving {
  readonly base: number;
}

function decideOnDeleted(incoming: Incoming, before: RecordState, rules: ConflictRules): Decision {
  const { mutation, stamp, base } = incoming;
  if (mutation.operation === 'create') return write('create', mutation.data ?? {});
  if (mutation.operation === 'delete') return { do: 'keep', droppedFields: NO_FIELDS };
  const deleted = before.deleted ?? before.bornBy;
  if (base === before.version || isOwnEarlier(deleted, stamp)) return notFound(mutation);
  const fields = Object.keys(mutation.data ?? {});
  const contest = makeContest('update-delete', { incoming, before, fields, rules });
  // Only the client has a whole copy from which to re-create the record, so a mutation that wins is sent back as a
  // conflict.
  const verdict = askStrategy(contest, rules);
  return verdict.do === 'keep' ? { do: 'keep', droppedFields: fields } : { do: 'conflict', contest };
}

function decideOnLive(incoming: Incoming, before: LiveRecord, rules: ConflictRules): Decision {
  const { mutation, stamp, base } = incoming;
  const data = mutation.data ?? {};
  const view = incoming.view ?? before.data;
  if (mutation.operation === 'create' && jsonEquals(data, view)) return { do: 'keep', droppedFields: NO_FIELDS };
  const written = mutation.operation === 'delete' ? Object.keys(before.data) : Object.keys(data);
  const isStale = base < before.born && before.born > 1 && !isOwnEarlier(before.bornBy, stamp);
  if (isStale && mutation.operation !== 'create') {
    return decideContest(makeContest('stale-incarnation', { incoming, before, fields: written, rules }), data, rules);
  }
  const foreign = foreignFields(written, incoming, before);
  if (foreign.length > 0) {
    return decideContest(
      makeContest(KIND_ON_LIVE[mutation.operation], { incoming, before, fields: foreign, rules }),
      data,
      rules,
    );
  }
  if (mutation.operation === 'delete') return write('delete', {});
  return written.length === 0 ? { do: 'keep', droppedFields: NO_FIELDS } : write('update', data);
}

const KIND_ON_LIVE: Readonly<Record<MutationOperation, ConflictKind>> = {
  create: 'create-create',
  update: 'update-update',
  delete: 'delete-update',
};

/** The mutation's fields that somebody else wrote after its base, to another value. */
function foreignFields(written: readonly string[], incoming: Incoming, before: RecordState): readonly string[] {
  const { base, stamp } = incoming;
  const isUnseen = (write: FieldsWrite) => write.version > base && !isOwnEarlier(write.stamp, stamp);
  if (!before.writes.some(isUnseen)) return NO_FIELDS;
  return written.filter((field) => {
    const last = fieldWrite(before, field);
    return last !== undefined && isUnseen(last) && isOtherValue(field, incoming, before);
  });
}

function isOtherValue(field: string, { mutation, view }: Incoming, before: RecordState): boolean {
  if (view && !Object.hasOwn(view, field)) return true;
  return !jsonEquals(ownValue(mutation.data ?? {}, field), before.data?.[field]);
}

function decideContest(contest: Contest, data: JsonObject, rules: ConflictRules): Decision {
  const verdict = askStrategy(contest, rules);
  switch (verdict.do) {
    case 'ask':
      return { do: 'conflict', contest };
    case 'keep':
      return { do: 'keep', droppedFields: contest.mine.operation === 'delete' ? contest.fields : Object.keys(data) };
    case 'apply': {
      if (contest.mine.operation === 'delete') return write('delete', {});
      const rest: Record<string, Json> = {};
      for (const [field, value] of Object.entries(data)) if (!verdict.drop.includes(field)) rest[field] = value;
      const merged = { ...rest, ...verdict.merged };
      return Object.keys(merged).length === 0
        ? { do: 'keep', droppedFields: verdict.drop }
        : { ...write('update', merged), droppedFields: verdict.drop, altered: true };
    }
  }
}

/**
 * A server without a strategy reports a conflict where `manual` would; time still decides fields that do not count.
 */
function askStrategy(contest: Contest, rules: ConflictRules): Verdict {
  return (rules.strategy ?? manual)(contest);
}

export interface ContestParts {
  readonly incoming: { readonly mutation: MutationLogEntry; readonly stamp: WriteStamp };
  readonly before: RecordState;
  readonly fields: readonly string[];
  readonly rules: ConflictRules;
}

/** The contest of a mutation with the record as it stands, over the given fields. */
export function makeContest(kind: ConflictKind, { incoming, before, fields, rules }: ContestParts): Contest {
  const { mutation, stamp } = incoming;
  const stamps: Record<string, WriteStamp> = {};
  for (const field of fields) {
    const last = fieldWrite(before, field);
    if (last) stamps[field] = last.stamp;
  }
  return {
    kind,
    objectName: mutation.objectName,
    recordId: mutation.recordId,
    mine: { operation: mutation.operation, data: mutation.data ?? {}, stamp },
    theirs: { record: before.data, stamps, ...(before.deleted ? { deleted: before.deleted } : {}) },
    fields,
    ...(rules.conflictFields ? { conflictFields: rules.conflictFields } : {}),
  };
}

/** Shared, because most mutations drop nothing. */
const NO_FIELDS: readonly string[] = [];

function write(operation: MutationOperation, data: JsonObject): Extract<Decision, { do: 'write' }> {
  return { do: 'write', operation, data, droppedFields: NO_FIELDS, altered: false };
}

function reject(code: RejectionCode, reason: string): Refusal {
  return { do: 'reject', code, reason };
}

/** Refuses a mutation of a missing record, in the very same words if the caller may not know that it exists. */
export function notFound({ operation, objectName }: MutationLogEntry): Refusal {
  return reject('NOT_FOUND', `There is no such ${objectName} to ${operation}. Create it first.`);
}
