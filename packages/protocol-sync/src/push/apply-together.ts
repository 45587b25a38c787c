/**
 * Applies a push whose writes live in the store's own transaction: everything the push decides commits together, and a
 * mutation whose write fails is undone alone.
 */
import type { MutationLogEntry, SyncMutationResult } from '@objectql/sync-types';
import { storeResolver } from '../records/record-resolver.js';
import { withStoredRecord } from '../records/record-state.js';
import { StoreBusyError, type StoreTransaction } from '../storage/sync-store.js';
import { lookUpAndAdopt } from './adopt.js';
import { andThen } from './and-then.js';
import { type ApplyParts, type DescribedWrite, describeWrite, HELD, openSession, rejectionOf } from './apply-push.js';
import { type Judgement, type JudgeRules, judge, type PlannedWrite } from './judge.js';
import type { PushItem, PushRequest } from './push-request.js';
import { PushRoom } from './push-room.js';
import type { PushSession } from './push-session.js';
import { NOTHING_PUSHED, type OwnWrite, type Pushed } from './pushed.js';
import { rejectedResult } from './results.js';

/** 2 s: who waits for a SQLite file gives up after 5 s by default, and two such pushes may come before their turn. */
const MAX_BLOCKED_MS = 2000;

/** Applies the push in one transaction of the store. */
export async function applyTogether(request: PushRequest, parts: ApplyParts): Promise<Pushed> {
  return parts.store.transaction(async (transaction) => {
    const session = await openSession(request, request.items, { parts, transaction });
    if (session === 'EPOCH') return NOTHING_PUSHED;
    const results: SyncMutationResult[] = [];
    const written: OwnWrite[] = [];
    const { isBlocking } = parts.store;
    const deadline = isBlocking ? Math.min(parts.deadline, parts.now() + MAX_BLOCKED_MS) : parts.deadline;
    const room = new PushRoom(() => parts.now() > deadline);
    for (const item of request.items) {
      const wait = isBlocking ? undefined : parts.giveWay();
      if (wait instanceof Promise) await wait;
      const pending = applyItem(item, session, { parts, transaction, room });
      const made: Made = pending instanceof Promise ? await pending : pending;
      room.take(made.result);
      results.push(made.result);
      if (made.written) written.push(made.written);
    }
    const changes = session.changes();
    const saved = await transaction.save({ ...changes, isLast: true });
    const places = changes.records?.length ?? 0;
    const { facts, isAdopting } = session;
    const stretch = saved && { facts: { ...facts, ...saved }, places, isOwn: !isAdopting };
    // Used only when there are rules about reading.
    const seen = parts.rules.authorize.read ? session.seen() : [];
    return { results, written, seen, headBefore: facts.head, stretch, end: saved ?? facts };
  });
}

interface Made {
  readonly result: SyncMutationResult;
  readonly written?: OwnWrite;
}

interface Within {
  readonly parts: ApplyParts;
  readonly transaction: StoreTransaction;
  readonly room: PushRoom;
}

/** Answers at once, unless a rule or resolver has to be asked. */
function applyItem(item: PushItem, session: PushSession, within: Within): Made | Promise<Made> {
  if (!('mutation' in item)) return { result: rejectedResult(item.mutationId, item) };
  const { mutation } = item;
  const { parts, room } = within;
  const refusal = room.refusal() ?? (session.isHeld(mutation) ? HELD : undefined);
  if (refusal) {
    // Later mutations of the record wait too: if the clock were set back, they would overtake this one.
    session.hold(mutation);
    return { result: rejectedResult(mutation.id, refusal) };
  }
  const fail = (error: unknown) => failAlone(error, mutation, { session, parts });
  try {
    const made =
      parts.resolver === storeResolver
        ? applyToStore(mutation, session, parts.rules)
        : applyByResolver(mutation, session, within);
    return made instanceof Promise ? made.catch(fail) : made;
  } catch (error) {
    return fail(error);
  }
}

function applyToStore(mutation: MutationLogEntry, session: PushSession, rules: JudgeRules): Made | Promise<Made> {
  return andThen(judge(mutation, session, rules), (judgement) => {
    if ('result' in judgement) return judgement;
    const { write } = judgement;
    return andThen(describeWrite(write, write, rules), (made) => enter(write, made, session));
  });
}

async function applyByResolver(mutation: MutationLogEntry, session: PushSession, within: Within): Promise<Made> {
  const { rules } = within.parts;
  const isUnknown = rules.rulesOf(mutation.objectName) !== undefined && !session.record(mutation);
  const known = isUnknown ? undefined : await judge(mutation, session, rules);
  if (known && 'result' in known) return known;
  // Once a mutation, since a savepoint costs round trips. If a rule fails for this record, the write is undone: every page
  // that holds it would fail.
  const done = await within.transaction.savepoint(async () => {
    const judgement = known ?? (await lookUpAndJudge(mutation, session, within));
    return 'result' in judgement ? judgement : { ...judgement, made: await makeWrite(judgement.write, within) };
  });
  return 'made' in done ? enter(done.write, done.made, session) : done;
}

async function lookUpAndJudge(
  mutation: MutationLogEntry,
  session: PushSession,
  { parts: { caller, rules }, transaction }: Within,
): Promise<Judgement> {
  await lookUpAndAdopt(mutation, session, { caller, rules, transaction: transaction.handle });
  return judge(mutation, session, rules);
}

async function makeWrite(
  write: PlannedWrite,
  { parts: { caller, rules }, transaction }: Within,
): Promise<DescribedWrite> {
  const stored = await caller.applyMutation(write, transaction.handle);
  const written = stored ? { state: withStoredRecord(write.state, stored), computable: false } : write;
  return describeWrite(write, written, rules);
}

/** Adds a write that was made to the session. */
function enter({ said, droppedFields }: PlannedWrite, made: DescribedWrite, session: PushSession): Made {
  const { state } = made.written;
  session.write(state);
  session.remember(said, { status: 'applied', version: state.version, droppedFields });
  return made;
}

function failAlone(
  error: unknown,
  mutation: MutationLogEntry,
  { session, parts }: { readonly session: PushSession; readonly parts: ApplyParts },
): Made {
  // Not this mutation's failure: the whole transaction has to be run again.
  if (error instanceof StoreBusyError) throw error;
  const rejection = rejectionOf(error, mutation.id, parts);
  const result = rejectedResult(mutation.id, rejection);
  if (result.status === 'rejected' && result.retryable) session.hold(mutation);
  else session.remember(mutation, { status: 'rejected', code: rejection.code, reason: rejection.reason });
  return { result };
}
