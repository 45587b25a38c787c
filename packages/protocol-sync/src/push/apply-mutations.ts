/**
 * Applies a push whose writes live in the store's own transaction: everything the push decides commits together, and a
 * mutation whose write fails is undone alone.
 */
import type { MutationLogEntry, SyncMutationResult } from '@objectql/sync-types';
import { isOfAnotherFeed } from '../feed/checkpoint.js';
import { type ResolverCaller, rejectionOf } from '../records/call-resolver.js';
import { type RecordResolver, storeResolver } from '../records/record-resolver.js';
import { withStoredRecord } from '../records/record-state.js';
import { viewOf } from '../rules/authorize.js';
import {
  type RecordState,
  StoreBusyError,
  type StoreFacts,
  type StoreTransaction,
  type SyncStore,
} from '../storage/sync-store.js';
import { adoptRecord } from './adopt.js';
import { appliedResult, rejectedResult } from './answer.js';
import { goOn } from './go-on.js';
import { type JudgeRules, judge, type PlannedWrite } from './judge.js';
import type { PushItem, PushRequest } from './push-request.js';
import { PushRoom } from './push-room.js';
import { loadRequestOf, PushSession } from './push-session.js';

/** What every way of applying a push needs. */
export interface ApplyParts {
  readonly store: SyncStore;
  readonly resolver: RecordResolver;
  readonly caller: ResolverCaller;
  readonly rules: JudgeRules;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Epoch milliseconds after which no further write is started. */
  readonly deadline: number;
  readonly onFailure: (error: unknown, mutationId: string) => void;
}

/** The results of a push, in its order, and the records it wrote. */
export interface Pushed {
  readonly results: readonly SyncMutationResult[];
  readonly written: readonly OwnWrite[];
  /** The records that results are about; of two states of one record the later one stands last. */
  readonly seen: readonly RecordState[];
  /** Where the push's records stand in the feed, when one transaction saved them all. */
  readonly stretch?: FeedStretch | undefined;
  /** The feed's head before the push. */
  readonly headBefore: number;
  /** The feed as the results were made from it; absent where there was nothing to do. */
  readonly end?: FeedEnd;
}

/** A push without mutations, or from a client whose feed is no more: its page tells the reset. */
export const NOTHING_PUSHED: Pushed = { results: [], written: [], seen: [], headBefore: Number.POSITIVE_INFINITY };

/** How far a feed has come, in its own words. */
export type FeedEnd = Pick<StoreFacts, 'epoch' | 'head'>;

/** The end of the feed as one transaction made it: that many places, up to `facts.head`, are its own. */
export interface FeedStretch {
  readonly facts: StoreFacts;
  readonly places: number;
  /** Whether the client's own mutations wrote all of these records. */
  readonly isOwn: boolean;
}

/** A write of this request: its record need not be echoed to the client that made it. */
export interface OwnWrite {
  readonly state: RecordState;
  readonly computable: boolean;
}

export async function applyTogether(request: PushRequest, parts: ApplyParts): Promise<Pushed> {
  return parts.store.transaction(async (transaction) => {
    const session = await openSession(request, request.items, { parts, transaction });
    if (session === 'EPOCH') return NOTHING_PUSHED;
    const results: SyncMutationResult[] = [];
    const written: OwnWrite[] = [];
    const room = new PushRoom(() => parts.now() > parts.deadline);
    for (const item of request.items) {
      const pending = applyItem(item, session, { parts, transaction, room });
      const made: Made = pending instanceof Promise ? await pending : pending;
      room.take(made.result);
      results.push(made.result);
      if (made.written) written.push(made.written);
    }
    const changes = session.changes(parts.rules.principal?.id ?? null);
    const saved = await transaction.save({ ...changes, isLast: true });
    const places = changes.records?.length ?? 0;
    const { facts, isAdopting } = session;
    const stretch = saved && { facts: { ...facts, ...saved }, places, isOwn: !isAdopting };
    // Looked at only by who asks about reading.
    const seen = parts.rules.authorize.read ? session.seen() : [];
    return { results, written, seen, headBefore: facts.head, stretch, end: saved ?? facts };
  });
}

/** Loads what the items need; refuses a foreign or forked log; answers `EPOCH` for a checkpoint of another feed. */
export async function openSession(
  request: PushRequest,
  items: readonly PushItem[],
  { parts, transaction }: { readonly parts: ApplyParts; readonly transaction: StoreTransaction },
): Promise<PushSession | 'EPOCH'> {
  const mutations = items.flatMap((item) => ('mutation' in item ? [item.mutation] : []));
  const asked = loadRequestOf(request, mutations);
  const loaded = await transaction.load(asked);
  if (request.checkpoint && isOfAnotherFeed(request.checkpoint, loaded.facts)) return 'EPOCH';
  const session = new PushSession(request, { asked, loaded }, parts.now());
  session.refuseForeignLog(parts.rules.principal?.id ?? null, mutations);
  return session;
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

/** At once, unless somebody has to be asked. */
function applyItem(item: PushItem, session: PushSession, within: Within): Made | Promise<Made> {
  if (!('mutation' in item)) return { result: rejectedResult(item.mutationId, item) };
  const { mutation } = item;
  const { parts, room } = within;
  if (room.isFull) return { result: room.refuse(mutation.id) };
  const waiting = waitingReason(parts, session.isHeld(mutation));
  if (waiting) {
    // Also those behind it wait, whatever the clock says by then: a clock that is set back would let them overtake.
    session.hold(mutation);
    return { result: rejectedResult(mutation.id, { code: 'BUSY', reason: waiting }) };
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
  return goOn(judge(mutation, session, rules), (judgement) =>
    'answer' in judgement ? { result: judgement.answer } : enter(judgement.write, judgement.write, { session, rules }),
  );
}

async function applyByResolver(
  mutation: MutationLogEntry,
  session: PushSession,
  { parts: { caller, rules }, transaction }: Within,
): Promise<Made> {
  if (rules.rulesOf(mutation.objectName)) {
    await transaction.savepoint(() => adoptRecord(mutation, session, { caller, transaction: transaction.handle }));
  }
  const judgement = await judge(mutation, session, rules);
  if ('answer' in judgement) return { result: judgement.answer };
  const { write } = judgement;
  const stored = await transaction.savepoint(() => caller.applyMutation(write, transaction.handle));
  const made = stored ? { state: withStoredRecord(write.state, stored), computable: false } : write;
  return enter(write, made, { session, rules });
}

/** Takes a write that was made into the session. */
function enter(
  write: PlannedWrite,
  made: OwnWrite,
  { session, rules }: { readonly session: PushSession; readonly rules: JudgeRules },
): Made | Promise<Made> {
  const { version } = made.state;
  session.write(made.state);
  session.remember(write.said, { status: 'applied', version, droppedFields: write.droppedFields });
  return goOn(describeWrite(write, made, rules), (result) => ({ result, written: made }));
}

function failAlone(
  error: unknown,
  mutation: MutationLogEntry,
  { session, parts }: { readonly session: PushSession; readonly parts: ApplyParts },
): Made {
  // Not this mutation's failure: the transaction as a whole has to be run again.
  if (error instanceof StoreBusyError) throw error;
  const rejection = rejectionOf(error);
  const result = rejectedResult(mutation.id, rejection);
  if (result.status === 'rejected' && result.retryable) session.hold(mutation);
  else session.remember(mutation, { status: 'rejected', code: rejection.code, reason: rejection.reason });
  if (rejection.code === 'INTERNAL') parts.onFailure(error, mutation.id);
  return { result };
}

/** Why a mutation is not even tried now, if there is a reason. */
export function waitingReason(parts: ApplyParts, isHeld: boolean): string | undefined {
  if (isHeld) return 'An earlier change of this record waits for another try; this one follows it.';
  if (parts.now() > parts.deadline) return 'The server had no time left for this one. Send it again.';
  return undefined;
}

/** The result of a write that was made, with the record where the client cannot know it and may. */
export function describeWrite(
  write: PlannedWrite,
  { state, computable }: OwnWrite,
  rules: JudgeRules,
): SyncMutationResult | Promise<SyncMutationResult> {
  // What the writer may not read any more goes from their device, as if it were gone.
  return goOn(rules.authorize.read ? viewOf(state, rules) : state.data, (view) =>
    appliedResult(write.mutation.id, {
      serverVersion: state.version,
      record: view === undefined ? null : computable ? undefined : view,
      droppedFields: write.droppedFields,
    }),
  );
}
