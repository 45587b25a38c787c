/**
 * Applies a push whose resolver writes outside the store's transaction. Each write is announced (an intent), made, then
 * confirmed. After a crash in between, whoever meets the intent next asks the resolver whether the write is there, makes
 * it if not, and confirms it. So a write may be made twice and is never lost or left unversioned.
 */
import { type JsonObject, type RecordRef, recordKey, refOf, type SyncMutationResult } from '@objectql/sync-types';
import { type Intent, type RecordState, StoreBusyError } from '../storage/sync-store.js';
import { adopt } from './adopt.js';
import { type DeferredParts, type Made, makeWrite, recover } from './announced-write.js';
import { describeWrite, HELD, openSession, rejectionOf } from './apply-push.js';
import { judge, type PlannedWrite } from './judge.js';
import type { PushItem, PushRequest } from './push-request.js';
import { PushRoom } from './push-room.js';
import type { PushSession } from './push-session.js';
import { type FeedEnd, NOTHING_PUSHED, type OwnWrite, type Pushed } from './pushed.js';
import { rejectedResult } from './results.js';

export async function applyOneByOne(request: PushRequest, parts: DeferredParts): Promise<Pushed> {
  const opened = await parts.store.transaction((transaction) =>
    openSession(request, request.items, { parts, transaction }),
  );
  if (opened === 'EPOCH') return NOTHING_PUSHED;
  const held = new Set<string>();
  // The application need not be asked for records that the store knows.
  const known = new Set(opened.seen().map(recordKey));
  const results: SyncMutationResult[] = [];
  const written: OwnWrite[] = [];
  const seen: RecordState[] = [];
  let end: FeedEnd = opened.facts;
  const room = new PushRoom(() => parts.now() > parts.deadline);
  for (const item of request.items) {
    await parts.giveWay();
    const made = await applyItem(item, request, { parts, held, known, room });
    room.take(made.result);
    results.push(made.result);
    const state = made.written?.state ?? made.seen;
    if (state) seen.push(state);
    if (state) known.add(recordKey(state));
    if (made.written) written.push(made.written);
    end = made.end ?? end;
    if ('mutation' in item && made.result.status === 'rejected' && made.result.retryable) {
      held.add(recordKey(item.mutation));
    }
  }
  return { results, written, seen, headBefore: opened.facts.head, end };
}

interface Within {
  readonly parts: DeferredParts;
  /** Records whose later mutations wait, and records that the store knows. */
  readonly held: ReadonlySet<string>;
  readonly known: ReadonlySet<string>;
  readonly room: PushRoom;
}

async function applyItem(item: PushItem, request: PushRequest, { parts, held, known, room }: Within): Promise<Made> {
  if (!('mutation' in item)) return { result: rejectedResult(item.mutationId, item) };
  const { mutation } = item;
  const refusal = room.refusal() ?? (held.has(recordKey(mutation)) ? HELD : undefined);
  if (refusal) return { result: rejectedResult(mutation.id, refusal) };
  return parts.recordLock.run(recordKey(mutation), async () => {
    try {
      let found = known.has(recordKey(mutation)) ? undefined : await lookUp(mutation, parts);
      let step = await announce(item, request, { parts, found });
      while ('recover' in step || 'lookUp' in step) {
        if ('recover' in step) await recover(step.recover, parts);
        else found = await lookUp(step.lookUp, parts);
        step = await announce(item, request, { parts, found });
      }
      return 'result' in step ? step : await makeWrite(step.write, step.intent, parts);
    } catch (error) {
      // Not this mutation's failure.
      if (error instanceof StoreBusyError || parts.isClosed()) throw error;
      return { result: rejectedResult(mutation.id, rejectionOf(error, mutation.id, parts)) };
    }
  });
}

type Step =
  | Made
  | { readonly recover: Intent }
  | { readonly lookUp: RecordRef }
  | { readonly write: PlannedWrite; readonly intent: Intent };

/** The application's record; `data` is `undefined` when it has none. */
interface LookedUp {
  readonly data: JsonObject | undefined;
}

/**
 * Runs before the transaction begins. Otherwise, if the application's queries need connections of the store's pool, they
 * would wait for those that transactions hold.
 */
async function lookUp({ objectName, recordId }: RecordRef, { caller, rules }: DeferredParts): Promise<LookedUp> {
  if (!rules.rulesOf(objectName)) return { data: undefined };
  return { data: await caller.getRecord({ objectName, recordId }, undefined) };
}

/** Decides one mutation and announces its write, in one transaction. */
async function announce(
  item: PushItem & { readonly mutation: Intent['mutation'] },
  request: PushRequest,
  { parts, found }: { readonly parts: DeferredParts; readonly found: LookedUp | undefined },
): Promise<Step> {
  const { mutation } = item;
  const { rules } = parts;
  return parts.store.transaction(async (transaction): Promise<Step> => {
    const session = await openSession(request, [item], { parts, transaction });
    if (session === 'EPOCH') throw new StoreBusyError('The store was restored while this push was under way.');
    const pending = session.intent(mutation);
    if (pending) {
      // If the clock was set back, the wait begins anew: otherwise it would last as much longer.
      const startedAt = Math.min(pending.startedAt, session.now);
      if (startedAt < pending.startedAt) {
        await transaction.save({ settledIntents: [refOf(pending)], intents: [{ ...pending, startedAt }] });
      }
      const retryAfterMs = startedAt + parts.intentLeaseMs - session.now;
      if (retryAfterMs <= 0) return { recover: pending };
      const reason = 'Another change of this record is being written. This one follows it.';
      return { result: rejectedResult(mutation.id, { code: 'BUSY', reason, retryAfterMs }) };
    }
    if (!session.record(mutation)) {
      if (!found) return { lookUp: mutation };
      if (found.data) adopt(mutation, found.data, session);
    }
    const judgement = await judge(mutation, session, rules);
    const changes = session.changes();
    if ('result' in judgement) {
      await transaction.save({ ...changes, isLast: true });
      return { result: judgement.result, seen: session.record(mutation)?.state, end: session.facts };
    }
    // Before the write is made: if a rule fails for this record, every page that holds it would fail.
    await describeWrite(judgement.write, judgement.write, rules);
    const intent = intentOf(judgement.write, session);
    await transaction.save({ ...changes, intents: [intent], isLast: true });
    return { write: judgement.write, intent };
  });
}

function intentOf(write: PlannedWrite, session: PushSession): Intent {
  const { mutation, state, droppedFields } = write;
  const outcome = { status: 'applied', version: state.version, droppedFields } as const;
  return {
    objectName: mutation.objectName,
    recordId: mutation.recordId,
    mutation,
    state,
    ledger: session.remember(write.said, outcome),
    principal: session.principal,
    startedAt: session.now,
  };
}
