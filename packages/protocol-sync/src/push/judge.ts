/** Judges one mutation: the outcome it already has, a refusal, or what `decide` makes of it. */
import {
  type Contest,
  isJsonWithin,
  type JsonObject,
  jsonEquals,
  MAX_FIELDS,
  type MutationLogEntry,
  type SyncMutationResult,
  type WriteStamp,
} from '@objectql/sync-types';
import type { Principal } from '../principal.js';
import { writeRecord } from '../records/record-state.js';
import { type Authorize, isWhole, viewOf } from '../rules/authorize.js';
import type { ObjectRules } from '../rules/object-rules.js';
import { ownFields, ownMutation } from '../storage/own-copy.js';
import type { LedgerOutcome, RecordState } from '../storage/sync-store.js';
import { type Decision, decide, makeContest, notFound } from './decide.js';
import type { PushSession, SeenRecord } from './push-session.js';
import { appliedResult, conflictResult, goneConflictResult, type Rejection, rejectedResult } from './results.js';

export interface JudgeRules {
  readonly rulesOf: (objectName: string) => ObjectRules | undefined;
  readonly authorize: Authorize;
  readonly principal: Principal | null;
  readonly maxRecordBytes: number;
}

/** A write that is decided and waits to be made. */
export interface PlannedWrite {
  /** The mutation as the client said it, which the ledger remembers. */
  readonly said: MutationLogEntry;
  /** The mutation for the resolver, with only the fields to write. The same object as `said` when nothing differs. */
  readonly mutation: MutationLogEntry;
  readonly state: RecordState;
  readonly droppedFields: readonly string[];
  /** True when the client can compute the new record from what it has and what it sent. */
  readonly computable: boolean;
}

export type Judgement = { readonly result: SyncMutationResult } | { readonly write: PlannedWrite };

/**
 * Judges one mutation; the session remembers outcomes that write nothing. Answers at once if no rule has to be asked.
 */
export function judge(
  mutation: MutationLogEntry,
  session: PushSession,
  rules: JudgeRules,
): Judgement | Promise<Judgement> {
  const recalled = session.recall(mutation);
  if (recalled === 'REUSED') {
    const reason = 'This id was used for another mutation. Give each mutation a fresh id.';
    return refuse(mutation, { code: 'ID_REUSED', reason });
  }
  if (recalled === 'EXPIRED') {
    const reason = 'It is too long ago to know whether this was applied. Compare with the record and record it anew.';
    return refuse(mutation, { code: 'OUTCOME_EXPIRED', reason });
  }
  if (recalled) {
    const repeated = repeat(mutation, recalled, { session, rules });
    return repeated.then((result) => ({ result: { ...result, duplicate: true } }));
  }
  const objectRules = rules.rulesOf(mutation.objectName);
  if (!objectRules) {
    const reason = `${mutation.objectName} takes no part in sync here.`;
    return conclude(mutation, { code: 'UNKNOWN_OBJECT', reason }, session);
  }
  const known: Known = { session, rules, objectRules, before: session.record(mutation) };
  const isOpenToAll = !rules.authorize.read && !rules.authorize.write;
  return isOpenToAll ? decideNow(mutation, known.before?.state.data, known) : askFirst(mutation, known);
}

/** What is needed to judge a mutation. */
interface Known {
  readonly session: PushSession;
  readonly rules: JudgeRules;
  readonly objectRules: ObjectRules;
  readonly before: SeenRecord | undefined;
}

async function askFirst(mutation: MutationLogEntry, known: Known): Promise<Judgement> {
  const { session, rules, before } = known;
  const view = before && (await viewOf(before.state, rules));
  // A hidden record is treated as missing, because two different refusals would tell which ids exist.
  const visible = view === undefined ? null : (before?.state.data ?? null);
  const isHidden = before !== undefined && view === undefined;
  if (!(await mayWrite(mutation, visible, rules)) || (isHidden && mutation.operation === 'create')) {
    return conclude(mutation, { code: 'FORBIDDEN', reason: 'You may not make this change.' }, session);
  }
  return isHidden ? conclude(mutation, notFound(mutation), session) : decideNow(mutation, view, known);
}

function refuse(mutation: MutationLogEntry, rejection: Rejection): Judgement {
  return { result: rejectedResult(mutation.id, rejection) };
}

function conclude(mutation: MutationLogEntry, { code, reason }: Rejection, session: PushSession): Judgement {
  session.remember(mutation, { status: 'rejected', code, reason });
  return refuse(mutation, { code, reason });
}

function decideNow(mutation: MutationLogEntry, view: JsonObject | null | undefined, known: Known): Judgement {
  const { session, rules, objectRules, before } = known;
  const stamp = session.stamp(mutation);
  const decision = decide({ mutation, stamp, view }, before?.state, objectRules);
  switch (decision.do) {
    case 'reject':
      return conclude(mutation, decision, session);
    case 'conflict':
      return { result: meetConflict(mutation, decision.contest, { view, known }) };
    case 'keep': {
      const version = before?.state.version ?? 0;
      // Remembered as told: once the record is gone, nobody can say which of its fields this caller knew.
      const droppedFields = fieldsInView(decision.droppedFields, mutation, view);
      session.remember(mutation, { status: 'applied', version, droppedFields });
      // The record is not what the mutation says, so it is sent, unless the mutation deletes a deleted record.
      const isGone = before?.state.data === null && droppedFields.length === 0;
      const record = isGone ? undefined : view;
      return { result: appliedResult(mutation.id, { serverVersion: version, record, droppedFields }) };
    }
    case 'write': {
      const write = planWrite(mutation, decision, { stamp, view, known });
      const tooLarge = sizeProblem(write.state, before?.state, rules.maxRecordBytes);
      return tooLarge ? conclude(mutation, { code: 'TOO_LARGE', reason: tooLarge }, session) : { write };
    }
  }
}

interface WriteParts {
  readonly stamp: WriteStamp;
  readonly view: JsonObject | null | undefined;
  readonly known: Known;
}

function planWrite(
  mutation: MutationLogEntry,
  { operation, data, droppedFields, altered }: Extract<Decision, { do: 'write' }>,
  { stamp, view, known }: WriteParts,
): PlannedWrite {
  const { session, before } = known;
  const { objectName, recordId, id, sequence } = mutation;
  const origin = { logId: stamp.logId, mutationId: id, sequence };
  const write = { objectName, recordId, operation, data, stamp, changedAt: session.now, origin };
  const isAsSaid = !altered && operation === mutation.operation;
  return {
    said: mutation,
    mutation: isAsSaid && data === mutation.data ? mutation : toMutation(mutation, operation, data),
    state: writeRecord(before?.state, write, session.versionFloor),
    droppedFields,
    // A create that met a live record was merged into it.
    computable: isAsSaid && isComputable(mutation, { stamp, view, known }),
  };
}

/** The mutation as the resolver is to apply it. */
function toMutation(
  { data: _said, ...mutation }: MutationLogEntry,
  operation: MutationLogEntry['operation'],
  data: JsonObject,
): MutationLogEntry {
  return operation === 'delete' ? mutation : { ...mutation, operation, data };
}

function meetConflict(
  mutation: MutationLogEntry,
  contest: Contest,
  { view, known }: { readonly view: JsonObject | null | undefined; readonly known: Known },
): SyncMutationResult {
  const { session, objectRules, before } = known;
  if (!before) throw new Error('A conflict needs a record to conflict with.');
  session.remember(mutation, { status: 'conflict', kind: contest.kind, fields: contest.fields });
  const shown = inView(contest, mutation, view);
  return conflictResult(mutation, { contest: shown, before: before.state, rules: objectRules });
}

/** Repeats the outcome of an earlier request; a conflict is shown with the record as it is now. */
async function repeat(
  mutation: MutationLogEntry,
  outcome: LedgerOutcome,
  { session, rules }: { readonly session: PushSession; readonly rules: JudgeRules },
): Promise<SyncMutationResult> {
  if (outcome.status === 'rejected') return rejectedResult(mutation.id, outcome);
  const before = session.record(mutation)?.state;
  const view = before && (await viewOf(before, rules));
  if (outcome.status === 'applied') {
    const { version: serverVersion, droppedFields } = outcome;
    // If the record has changed since then, the client gets it through the feed, with its version. If it is gone for
    // this caller, the result says so: the feed may never tell them, or has told them before.
    const isShown = before?.version === serverVersion && !isAsSent(mutation, view);
    const record = view ? (isShown ? view : undefined) : null;
    return appliedResult(mutation.id, { serverVersion, droppedFields, record });
  }
  if (!before || view === undefined) return goneConflictResult(mutation.id);
  const objectRules = rules.rulesOf(mutation.objectName) ?? {};
  const incoming = { mutation, stamp: session.stamp(mutation) };
  const contest = makeContest(outcome.kind, { incoming, before, fields: outcome.fields, rules: objectRules });
  return conflictResult(mutation, { contest: inView(contest, mutation, view), before, rules: objectRules });
}

/** True for a create that made just what it said: its client need not be sent that. */
function isAsSent({ operation, data = {} }: MutationLogEntry, view: JsonObject | null | undefined): boolean {
  return operation === 'create' && view !== undefined && jsonEquals(view, data);
}

/** True when the client has seen the whole earlier record, so that only its own data is new. */
function isComputable(mutation: MutationLogEntry, { stamp, view, known: { session, before } }: WriteParts): boolean {
  if (!before || before.state.data === null) return true;
  // What was hidden from them before may be shown by this write.
  if (!isWhole(view, before.state.data)) return false;
  const base = mutation.baseVersion ?? 0;
  const { version, run } = before.state;
  const isScanned = before.place <= (session.request.checkpoint?.place ?? 0);
  // A client may not know a record that stands behind its checkpoint, even if its own log wrote it: the outcome may be
  // forgotten, and after a restore a clone of the device, or a late copy of its first request, may repeat a write that
  // the device no longer has. This request's own writes are told by its results, but not the records it adopted.
  if (!isScanned && Number.isFinite(before.place)) return false;
  return (isScanned && base === version) || (run.logId === stamp.logId && run.from <= base + 1);
}

/**
 * The contest as its caller may see it, without hidden fields. If a hidden field is contested, no times are told:
 * otherwise the client would take the hidden write for the earlier one.
 */
function inView(contest: Contest, mutation: MutationLogEntry, view: JsonObject | null | undefined): Contest {
  const { theirs } = contest;
  if (!view) return contest;
  const stamps = Object.keys(theirs.stamps).every((field) => Object.hasOwn(view, field)) ? theirs.stamps : {};
  return {
    ...contest,
    fields: fieldsInView(contest.fields, mutation, view),
    theirs: { ...theirs, record: view, stamps },
  };
}

/**
 * Of the fields that decided against a mutation, those whose names its caller knows. Only a delete meets fields that it
 * does not name. If all of them are hidden, it is reported as lost to the whole record: never in silence.
 */
function fieldsInView(
  fields: readonly string[],
  { operation }: MutationLogEntry,
  view: JsonObject | null | undefined,
): readonly string[] {
  if (operation !== 'delete') return fields;
  const known = fields.filter((field) => view && Object.hasOwn(view, field));
  return known.length > 0 ? known : Object.keys(view ?? {});
}

async function mayWrite(mutation: MutationLogEntry, record: JsonObject | null, rules: JudgeRules): Promise<boolean> {
  if (!rules.authorize.write) return true;
  const asked = { mutation: ownMutation(mutation), record: record && ownFields(record) };
  return await rules.authorize.write({ principal: rules.principal, ...asked });
}

/** What is wrong with the record's size. Only for updates: a delete adds nothing, and a create was checked earlier. */
function sizeProblem(state: RecordState, before: RecordState | undefined, maxBytes: number): string | undefined {
  if (!state.data || !before?.data) return undefined;
  if (Object.keys(state.data).length > MAX_FIELDS) return `The record would have more than ${MAX_FIELDS} fields.`;
  return isJsonWithin(state.data, maxBytes) ? undefined : `The record would be larger than ${maxBytes} bytes.`;
}
