/**
 * Applies a push whose resolver writes outside the store's transaction. Each write is announced (an intent), made, then
 * confirmed. After a crash in between, whoever meets the intent next asks the resolver whether the write is there, makes
 * it if not, and confirms it. So a write may be made twice and is never lost or left unversioned.
 */
import {
  type JsonObject,
  jsonEquals,
  ownValue,
  type RecordRef,
  recordKey,
  type SyncMutationResult,
} from '@objectql/sync-types';
import { adopt } from './adopt.js';
import { rejectedResult } from './answer.js';
import {
  type ApplyParts,
  describeWrite,
  type OwnWrite,
  openSession,
  type Pushed,
  waitingReason,
} from './apply-mutations.js';
import { ResolverTimeoutError, rejectionOf } from './call-resolver.js';
import { judge, type PlannedWrite } from './judge.js';
import type { KeyedLock } from './keyed-lock.js';
import type { PushItem, PushRequest } from './push-request.js';
import type { PushSession } from './push-session.js';
import { madeAnew, stateOfChange } from './record-change.js';
import { RejectionError } from './record-resolver.js';
import { latestWrite, SERVER_LOG_ID, withStoredRecord, writeRecord } from './record-state.js';
import {
  type Intent,
  type LedgerRow,
  type RecordState,
  StoreBusyError,
  type StoreTransaction,
} from './storage/sync-store.js';

/** What this way needs beside the rest. */
export interface DeferredParts extends ApplyParts {
  /** Keeps two pushes of this process from writing one record at the same time. */
  readonly recordLock: KeyedLock;
  /** Milliseconds for which another process may still be making an announced write. */
  readonly intentLeaseMs: number;
}

export async function applyOneByOne(request: PushRequest, parts: DeferredParts): Promise<Pushed> {
  const opened = await parts.store.transaction((transaction) =>
    openSession(request, request.items, { parts, transaction }),
  );
  if (opened === 'EPOCH') return { epoch: true };
  const held = new Set<string>();
  // What the store knows need not be looked up in the application.
  const known = new Set(opened.seen().map(recordKey));
  const results: SyncMutationResult[] = [];
  const written: OwnWrite[] = [];
  const seen: RecordState[] = [];
  for (const item of request.items) {
    const waiting = opened.waitForNewLog(item);
    if (waiting) {
      results.push(waiting);
      continue;
    }
    const made = await applyItem(item, request, { parts, held, known });
    results.push(made.result);
    const state = made.written?.state ?? made.seen;
    if (state) seen.push(state);
    if (state) known.add(recordKey(state));
    if (made.written) written.push(made.written);
    if ('mutation' in item && made.result.status === 'rejected' && made.result.retryable) {
      held.add(recordKey(item.mutation));
    }
  }
  return { epoch: false, results, written, seen, headBefore: opened.facts.head };
}

interface Made {
  readonly result: SyncMutationResult;
  readonly written?: OwnWrite;
  /** The record that the result is about, where nothing was written. */
  readonly seen?: RecordState | undefined;
}

async function applyItem(
  item: PushItem,
  request: PushRequest,
  { parts, held, known }: { readonly parts: DeferredParts } & Readonly<Record<'held' | 'known', ReadonlySet<string>>>,
): Promise<Made> {
  if (!('mutation' in item)) return { result: rejectedResult(item.mutationId, item) };
  const { mutation } = item;
  const waiting = waitingReason(parts, held.has(recordKey(mutation)));
  if (waiting) return { result: rejectedResult(mutation.id, { code: 'BUSY', reason: waiting }) };
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
      if (error instanceof StoreBusyError) throw error;
      parts.onFailure(error, mutation.id);
      return { result: rejectedResult(mutation.id, rejectionOf(error)) };
    }
  });
}

type Step =
  | Made
  | { readonly recover: Intent }
  | { readonly lookUp: RecordRef }
  | { readonly write: PlannedWrite; readonly intent: Intent };

/** The application's record, `undefined` within where it has none. */
interface LookedUp {
  readonly data: JsonObject | undefined;
}

/**
 * Asked before the transaction begins: an application whose own queries take connections of the store's pool would wait for
 * one that the waiting transactions hold.
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
      // Announced before now, whatever a clock that has been set back says: the wait begins anew, and ends.
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
    const changes = session.changes(principalOf(parts));
    if ('answer' in judgement) {
      await transaction.save(changes);
      return { result: judgement.answer, seen: session.record(mutation)?.state };
    }
    const intent = intentOf(judgement.write, session, principalOf(parts));
    await transaction.save({ ...changes, intents: [intent] });
    return { write: judgement.write, intent };
  });
}

function intentOf(write: PlannedWrite, session: PushSession, principal: string | null): Intent {
  const { mutation, state, droppedFields } = write;
  const outcome = { status: 'applied', version: state.version, droppedFields } as const;
  return {
    objectName: mutation.objectName,
    recordId: mutation.recordId,
    mutation,
    state,
    ledger: session.remember(write.said, outcome),
    principal,
    startedAt: session.now,
  };
}

async function makeWrite(write: PlannedWrite, intent: Intent, parts: DeferredParts): Promise<Made> {
  let stored: JsonObject | undefined;
  try {
    stored = await parts.caller.applyMutation(write, undefined);
  } catch (error) {
    // After a timeout nobody knows whether the write is still to come: the intent stays, and the next try finds out.
    if (error instanceof ResolverTimeoutError) throw error;
    // A resolver may fail after it has written, too; what is there counts.
    const written = error instanceof RejectionError ? undefined : await findWritten(intent, parts);
    if (!written) return withdraw(write, intent, { parts, error });
    stored = written.record;
  }
  const state = await confirm(intent, stored, parts);
  const made = {
    state,
    computable: write.computable && stored === undefined && state.version === intent.state.version,
  };
  return { result: await describeWrite(write, made, parts.rules), written: made };
}

/** The resolver refused the write or failed: the announcement goes, and a refusal for good is remembered. */
async function withdraw(
  write: PlannedWrite,
  intent: Intent,
  { parts, error }: { readonly parts: DeferredParts; readonly error: unknown },
): Promise<Made> {
  const rejection = rejectionOf(error);
  const result = rejectedResult(write.mutation.id, rejection);
  const isFinal = result.status === 'rejected' && !result.retryable;
  const outcome = { status: 'rejected', code: rejection.code, reason: rejection.reason } as const;
  // The row that was announced names what the client said, which is not always what was to be written.
  await giveUp(intent, parts, isFinal ? [{ ...intent.ledger, outcome, at: parts.now() }] : []);
  if (rejection.code === 'INTERNAL') parts.onFailure(error, write.mutation.id);
  return { result };
}

/** Takes the announcement back. */
async function giveUp(intent: Intent, parts: DeferredParts, ledger: readonly LedgerRow[]): Promise<void> {
  await parts.store.transaction(async (transaction) => {
    const left = await leftOver(intent, transaction, parts);
    await transaction.save({ settledIntents: [refOf(intent)], records: left ? [left] : [], ledger });
  });
}

/**
 * What an earlier try left in the application's record, as a change that came past sync; `undefined` when it left nothing.
 * A write past sync may have come over one part of it, so that it does not count as made, and the rest is still there. Where
 * a delete was made, what the application has now is another record: it was made again past sync.
 */
async function leftOver(
  intent: Intent,
  transaction: StoreTransaction,
  parts: DeferredParts,
): Promise<RecordState | undefined> {
  const ref = refOf(intent);
  const { records, facts } = await transaction.load({ records: [ref], mutationIds: [] });
  const record = await parts.caller.getRecord(ref, transaction.handle);
  if (!record) return undefined;
  const [before] = records;
  const known = before?.data ?? {};
  const moment = { now: parts.now(), versionFloor: facts.versionFloor };
  if (intent.mutation.operation === 'delete') {
    const isWhole = Object.keys(known).every((field) => Object.hasOwn(record, field));
    return isWhole ? undefined : madeAnew(ref, record, { before, ...moment });
  }
  const isLeft = Object.entries(intent.mutation.data ?? {}).some(
    ([field, value]) => jsonEquals(ownValue(record, field), value) && !jsonEquals(ownValue(known, field), value),
  );
  return isLeft ? stateOfChange({ ...ref, operation: 'update', data: record }, before, moment) : undefined;
}

/**
 * Finishes a write that a crash, or a resolver that never answered, left announced. One that the application does not take
 * is withdrawn, or it would hold its record for everybody; whoever made it sends it again. So is one of another user: it
 * would be made, or refused, as the caller's.
 */
async function recover(intent: Intent, parts: DeferredParts): Promise<void> {
  const written = await findWritten(intent, parts);
  if (written) {
    await confirm(intent, written.record, parts);
    return;
  }
  if (intent.principal !== principalOf(parts)) {
    await giveUp(intent, parts, []);
    return;
  }
  const { mutation, state, ledger } = intent;
  const droppedFields = ledger.outcome.status === 'applied' ? ledger.outcome.droppedFields : [];
  await makeWrite({ mutation, said: mutation, state, droppedFields, computable: false }, intent, parts);
}

/**
 * The application's record, if the announced write is in it; `undefined` when the write is still to be made. Its hooks may
 * have made more of the write than was announced, so the record is what is confirmed.
 */
async function findWritten(
  { objectName, recordId, mutation }: Intent,
  parts: DeferredParts,
): Promise<{ readonly record: JsonObject | undefined } | undefined> {
  const record = await parts.caller.getRecord({ objectName, recordId }, undefined);
  if (mutation.operation === 'delete') return record === undefined ? { record } : undefined;
  const isThere =
    record !== undefined &&
    Object.entries(mutation.data ?? {}).every(([field, value]) => jsonEquals(ownValue(record, field), value));
  return isThere ? { record } : undefined;
}

/** Commits the announced write as made. A write that came past sync in the meantime keeps its version; this one follows. */
async function confirm(intent: Intent, stored: JsonObject | undefined, parts: DeferredParts): Promise<RecordState> {
  const { mutationId, logId, sequence } = intent.ledger;
  return parts.store.transaction(async (transaction) => {
    const ref = refOf(intent);
    const { records, ledger, facts } = await transaction.load({
      records: [ref],
      mutationIds: [mutationId],
      ...(logId === null ? {} : { log: { logId, sequences: [sequence] } }),
    });
    const found = { now: records[0], stored, handle: transaction.handle, versionFloor: facts.versionFloor };
    const state = await writtenState(intent, found, parts);
    // A clone of the device may have taken this place of the log meanwhile; what was written is remembered all the same.
    const isTaken = ledger.some(
      (row) => row.logId === logId && row.sequence === sequence && row.mutationId !== mutationId,
    );
    const row = { ...intent.ledger, ...(isTaken ? { logId: null } : {}), outcome: at(intent, state) };
    await transaction.save({ records: [state], ledger: [row], settledIntents: [ref] });
    return state;
  });
}

interface Found {
  readonly now: RecordState | undefined;
  readonly stored: JsonObject | undefined;
  readonly handle: unknown;
  /** The version above which a record without a state starts. */
  readonly versionFloor: number;
}

/**
 * The planned state. Where a version was written since it was planned, the application's record decides, as the version
 * after it: only the application knows which of the two writes came last.
 */
async function writtenState(
  intent: Intent,
  { now, stored, handle, versionFloor }: Found,
  { caller }: DeferredParts,
): Promise<RecordState> {
  const { mutation, state: planned } = intent;
  if (planned.version > (now?.version ?? versionFloor)) return stored ? withStoredRecord(planned, stored) : planned;
  const before = now ?? forgotten(planned, versionFloor);
  const record = await caller.getRecord(refOf(intent), handle);
  const { changedAt, origin } = planned;
  const stamp = latestWrite(planned);
  const common = { ...refOf(intent), stamp, changedAt, origin };
  if (!record) return writeRecord(before, { ...common, operation: 'delete', data: {} }, versionFloor);
  const write = before.data
    ? ({ ...common, operation: 'update', data: mutation.data ?? {} } as const)
    : ({ ...common, operation: 'create', data: record } as const);
  return withStoredRecord(writeRecord(before, write, versionFloor), record);
}

/** The record as it was when its tombstone was dropped: deleted by somebody, at a version up to the floor. */
function forgotten(planned: RecordState, versionFloor: number): RecordState {
  const run = { logId: SERVER_LOG_ID, from: versionFloor };
  return { ...planned, version: versionFloor, data: null, writes: [], run };
}

function principalOf({ rules }: DeferredParts): string | null {
  return rules.principal?.id ?? null;
}

function at({ ledger }: Intent, { version }: RecordState): Intent['ledger']['outcome'] {
  return ledger.outcome.status === 'applied' ? { ...ledger.outcome, version } : ledger.outcome;
}

function refOf({ objectName, recordId }: RecordRef): RecordRef {
  return { objectName, recordId };
}
