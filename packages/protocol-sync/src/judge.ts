/** One mutation against what is known: the outcome it already has, what forbids it, or what `decide` makes of it. */
import {
  type Contest,
  isJsonWithin,
  type JsonObject,
  MAX_FIELDS,
  type MutationLogEntry,
  type SyncMutationResult,
  type WriteStamp,
} from '@objectql/sync-types';
import { appliedResult, conflictResult, goneConflictResult, type Rejection, rejectedResult } from './answer.js';
import { type Authorize, viewOf } from './authorize.js';
import { decide, makeContest } from './decide.js';
import type { ObjectRules } from './object-rules.js';
import type { Principal } from './principal.js';
import type { PushSession, SeenRecord } from './push-session.js';
import { writeRecord } from './record-state.js';
import type { LedgerOutcome, RecordState } from './storage/sync-store.js';

export interface JudgeRules {
  readonly rulesOf: (objectName: string) => ObjectRules | undefined;
  readonly authorize: Authorize;
  readonly principal: Principal | null;
  readonly maxRecordBytes: number;
}

/** A write that is decided and waits to be made. */
export interface PlannedWrite {
  /** The mutation as the client said it: what the ledger remembers. */
  readonly said: MutationLogEntry;
  /** The mutation as the resolver is to apply it: only the fields to write. */
  readonly mutation: MutationLogEntry;
  readonly state: RecordState;
  readonly droppedFields: readonly string[];
  /** True when the client can compute the new record from what it has and what it sent. */
  readonly computable: boolean;
}

export type Judgement = { readonly answer: SyncMutationResult } | { readonly write: PlannedWrite };

/** Judges one mutation; outcomes that write nothing are remembered in the session. */
export async function judge(mutation: MutationLogEntry, session: PushSession, rules: JudgeRules): Promise<Judgement> {
  const recalled = session.recall(mutation);
  if (recalled === 'REUSED') {
    return refuse({
      code: 'ID_REUSED',
      reason: 'This id was used for another mutation. Give each mutation a fresh id.',
    });
  }
  if (recalled === 'EXPIRED') {
    const reason = 'It is too long ago to know whether this was applied. Compare with the record and record it anew.';
    return refuse({ code: 'OUTCOME_EXPIRED', reason });
  }
  if (recalled) return { answer: await repeat(mutation, recalled, { session, rules }) };

  const objectRules = rules.rulesOf(mutation.objectName);
  if (!objectRules) {
    return conclude({ code: 'UNKNOWN_OBJECT', reason: `${mutation.objectName} takes no part in sync here.` });
  }
  const seen = session.record(mutation);
  // Not even awaited where there are no rules to ask: that alone would be half of what a simple mutation costs.
  const view = seen && (rules.authorize.read ? await viewOf(seen.state, rules) : seen.state.data);
  // Asked of a record that is hidden as if there were none, or two refusals would tell which ids exist.
  const known = view === undefined ? null : (seen?.state.data ?? null);
  if (rules.authorize.write && !(await mayWrite(mutation, known, rules))) {
    return conclude({ code: 'FORBIDDEN', reason: 'You may not make this change.' });
  }
  if (seen && view === undefined) {
    return conclude(
      mutation.operation === 'create'
        ? { code: 'FORBIDDEN', reason: 'You may not make this change.' }
        : {
            code: 'NOT_FOUND',
            reason: `There is no such ${mutation.objectName} to ${mutation.operation}. Create it first.`,
          },
    );
  }
  return decideNow(seen, objectRules);

  function refuse(rejection: Rejection): Judgement {
    return { answer: rejectedResult(mutation.id, rejection) };
  }

  function conclude(rejection: Rejection): Judgement {
    session.remember(mutation, { status: 'rejected', ...rejection });
    return refuse(rejection);
  }

  function decideNow(before: SeenRecord | undefined, objectRules: ObjectRules): Judgement {
    const stamp = session.stamp(mutation);
    const decision = decide({ mutation, stamp, view }, before?.state, objectRules);
    switch (decision.do) {
      case 'reject':
        return conclude(decision);
      case 'conflict':
        return { answer: meetConflict(decision.contest, before, objectRules) };
      case 'keep': {
        const version = before?.state.version ?? 0;
        // Remembered as told: once the record is gone, nobody can say which of its fields this caller knew.
        const droppedFields = fieldsInView(decision.droppedFields, mutation, view);
        session.remember(mutation, { status: 'applied', version, droppedFields });
        // What the mutation says is not what the record is; only a delete of what is deleted needs no image.
        const isGone = before?.state.data === null && droppedFields.length === 0;
        const record = isGone ? undefined : view;
        return { answer: appliedResult(mutation.id, { serverVersion: version, record, droppedFields }) };
      }
      case 'write': {
        const { operation, data, droppedFields, altered } = decision;
        const state = writeRecord(before?.state, decidedWrite(operation, data, stamp), session.versionFloor);
        const tooLarge = sizeProblem(state, before?.state, rules.maxRecordBytes);
        if (tooLarge) return conclude({ code: 'TOO_LARGE', reason: tooLarge });
        const planned = operation === 'delete' ? withoutData(mutation) : { ...mutation, operation, data };
        return {
          write: {
            said: mutation,
            mutation: planned,
            state,
            droppedFields,
            // A create that met a live record was merged into it.
            computable:
              !altered && operation === mutation.operation && isComputable(before, stamp, { mutation, session }),
          },
        };
      }
    }
  }

  function decidedWrite(operation: MutationLogEntry['operation'], data: JsonObject, stamp: WriteStamp) {
    const { objectName, recordId, id, sequence } = mutation;
    const origin = { logId: stamp.logId, mutationId: id, sequence };
    return { objectName, recordId, operation, data, stamp, changedAt: session.now, origin };
  }

  function meetConflict(
    contest: Contest,
    before: SeenRecord | undefined,
    objectRules: ObjectRules,
  ): SyncMutationResult {
    if (!before) throw new Error('A conflict needs a record to conflict with.');
    session.remember(mutation, { status: 'conflict', kind: contest.kind, fields: contest.fields });
    return conflictResult(mutation, {
      contest: inView(contest, mutation, view),
      before: before.state,
      rules: objectRules,
    });
  }
}

/** The outcome of an earlier request once more; a conflict is shown with the record as it is now. */
async function repeat(
  mutation: MutationLogEntry,
  outcome: LedgerOutcome,
  { session, rules }: { readonly session: PushSession; readonly rules: JudgeRules },
): Promise<SyncMutationResult> {
  const before = session.record(mutation)?.state;
  if (outcome.status === 'rejected') return { ...rejectedResult(mutation.id, outcome), duplicate: true };
  if (outcome.status === 'applied') {
    const { version: serverVersion } = outcome;
    // A record that went on since then reaches the client through the feed, at the version that belongs to it.
    // One that is gone for this caller is told as gone: the feed may never tell them, or has told them before.
    const view = before && (await viewOf(before, rules));
    const record = view ? (before?.version === serverVersion ? view : undefined) : null;
    const { droppedFields } = outcome;
    const known = mutation.operation === 'delete' ? droppedFields : fieldsInView(droppedFields, mutation, view);
    return appliedResult(mutation.id, { serverVersion, droppedFields: known, record, duplicate: true });
  }
  const view = before && (await viewOf(before, rules));
  if (!before || view === undefined) {
    return { ...goneConflictResult(mutation.id), duplicate: true };
  }
  const objectRules = rules.rulesOf(mutation.objectName) ?? {};
  const incoming = { mutation, stamp: session.stamp(mutation) };
  const contest = makeContest(outcome.kind, { incoming, before, fields: outcome.fields, rules: objectRules });
  return {
    ...conflictResult(mutation, { contest: inView(contest, mutation, view), before, rules: objectRules }),
    duplicate: true,
  };
}

/** True when the client has seen all that the record was before, so that its own data is all that is new to it. */
function isComputable(
  before: SeenRecord | undefined,
  stamp: WriteStamp,
  { mutation, session }: { readonly mutation: MutationLogEntry; readonly session: PushSession },
): boolean {
  if (!before || before.state.data === null) return true;
  const base = mutation.baseVersion ?? 0;
  const { version, run, writes } = before.state;
  if (base === version && before.place <= (session.request.checkpoint?.place ?? 0)) return true;
  // Without a base the client may have forgotten what its log wrote: a reset of the feed clears bases and records, and a
  // late copy of an earlier request may have made the record again since.
  if (base === 0 && Number.isFinite(before.place)) return false;
  // A write whose outcome may be forgotten is one its own client may never have been told of.
  const isTold = writes.every((write) => write.version <= base || write.stamp.sequence > session.logFloor);
  return run.logId === stamp.logId && run.from <= base + 1 && isTold;
}

/**
 * The contest as its caller may see it: nothing of fields that are hidden from them. Where one of those is contested, no
 * time is told at all: a client that decided by the rest would take what it does not see for the earlier write.
 */
function inView(contest: Contest, mutation: MutationLogEntry, view: JsonObject | null | undefined): Contest {
  const { theirs } = contest;
  if (!theirs.record || !view) return contest;
  const stamps = Object.keys(theirs.stamps).every((field) => Object.hasOwn(view, field)) ? theirs.stamps : {};
  return {
    ...contest,
    fields: fieldsInView(contest.fields, mutation, view),
    theirs: { ...theirs, record: view, stamps },
  };
}

/**
 * Of the fields that decided over a mutation those whose names its caller knows. A delete meets fields that it does not
 * name; where only hidden ones stood against it, it is told as lost to the whole record, so that it is not lost in silence.
 */
function fieldsInView(
  fields: readonly string[],
  { operation, data = {} }: MutationLogEntry,
  view: JsonObject | null | undefined,
): readonly string[] {
  if (operation !== 'delete')
    return fields.filter((field) => Object.hasOwn(data, field) || (view && Object.hasOwn(view, field)));
  const known = fields.filter((field) => view && Object.hasOwn(view, field));
  return known.length === 0 && fields.length > 0 ? Object.keys(view ?? {}) : known;
}

async function mayWrite(mutation: MutationLogEntry, record: JsonObject | null, rules: JudgeRules): Promise<boolean> {
  if (!rules.authorize.write) return true;
  return await rules.authorize.write({ principal: rules.principal, mutation, record });
}

/** What is wrong with the record's size; a write that adds no field and no byte cannot be the one to blame. */
function sizeProblem(state: RecordState, before: RecordState | undefined, maxBytes: number): string | undefined {
  if (!state.data || !before?.data) return undefined;
  if (Object.keys(state.data).length > MAX_FIELDS) return `The record would have more than ${MAX_FIELDS} fields.`;
  return isJsonWithin(state.data, maxBytes) ? undefined : `The record would be larger than ${maxBytes} bytes.`;
}

function withoutData({ data, ...mutation }: MutationLogEntry): MutationLogEntry {
  return mutation;
}
