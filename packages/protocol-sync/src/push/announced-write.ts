/** Makes an announced write, and finishes or takes back one that a crash left behind. */
import { type JsonObject, jsonEquals, ownValue, refOf, type SyncMutationResult } from '@objectql/sync-types';
import { ResolverTimeoutError } from '../records/call-resolver.js';
import { madeAnew, stateOfChange } from '../records/record-change.js';
import { RejectionError } from '../records/record-resolver.js';
import { latestWrite, SERVER_LOG_ID, withStoredRecord, writeRecord } from '../records/record-state.js';
import type { Intent, LedgerRow, LoadRequest, RecordState, StoreTransaction } from '../storage/sync-store.js';
import { type ApplyParts, describeWrite, principalOf, rejectionOf } from './apply-push.js';
import type { PlannedWrite } from './judge.js';
import type { KeyedLock } from './keyed-lock.js';
import { besideOthers } from './ledger.js';
import type { FeedEnd, OwnWrite } from './pushed.js';
import { rejectedResult } from './results.js';

/** What applying one by one needs besides `ApplyParts`. */
export interface DeferredParts extends ApplyParts {
  /** Keeps two pushes of this process from writing one record at the same time. */
  readonly recordLock: KeyedLock;
  /** True once the store closes in the middle of the push. */
  readonly isClosed: () => boolean;
  /** Milliseconds for which another process may still be making an announced write. */
  readonly intentLeaseMs: number;
}

/** What became of one mutation. */
export interface Made {
  readonly result: SyncMutationResult;
  readonly written?: OwnWrite;
  /** The record that the result is about, if nothing was written. */
  readonly seen?: RecordState | undefined;
  /** The state of the feed when the result was made. */
  readonly end?: FeedEnd | undefined;
}

/** Makes an announced write and confirms it; takes the announcement back if the application refuses the write. */
export async function makeWrite(write: PlannedWrite, intent: Intent, parts: DeferredParts): Promise<Made> {
  let stored: JsonObject | undefined;
  try {
    stored = await parts.caller.applyMutation(write, undefined);
  } catch (error) {
    // After a timeout nobody knows whether the write will still happen: the intent stays, and the next try finds out.
    if (error instanceof ResolverTimeoutError) throw error;
    // A resolver may also fail after it has written; what is stored counts.
    const written = error instanceof RejectionError ? undefined : await findWritten(intent, parts);
    if (!written) return withdraw(write, intent, { parts, error });
    stored = written.record;
  }
  const { state, end } = await confirm(intent, stored, parts);
  const made = {
    state,
    computable: write.computable && stored === undefined && state.version === intent.state.version,
  };
  return { ...(await describeWrite(write, made, parts.rules)), end };
}

/**
 * Finishes a write that a crash, or a resolver that never answered, left announced. It is withdrawn if the application
 * refuses it, because it would hold its record for everybody, and if another user asked for it, because it would be made
 * or refused as the caller's. Its author sends it again.
 */
export async function recover(intent: Intent, parts: DeferredParts): Promise<void> {
  const written = await findWritten(intent, parts);
  if (written) {
    await confirm(intent, written.record, parts);
    return;
  }
  if (intent.principal !== principalOf(parts)) {
    await giveUp(intent, parts);
    return;
  }
  const { mutation, state } = intent;
  // Only the ledger tells what comes of it.
  await makeWrite({ mutation, said: mutation, state, droppedFields: [], computable: false }, intent, parts);
}

/** After the resolver refused the write or failed: removes the announcement and remembers a refusal for good. */
async function withdraw(
  write: PlannedWrite,
  intent: Intent,
  { parts, error }: { readonly parts: DeferredParts; readonly error: unknown },
): Promise<Made> {
  const rejection = rejectionOf(error, write.mutation.id, parts);
  const result = rejectedResult(write.mutation.id, rejection);
  const isFinal = result.status === 'rejected' && !result.retryable;
  const outcome = { status: 'rejected', code: rejection.code, reason: rejection.reason } as const;
  // The announced row names what the client said, which may differ from what was to be written.
  await giveUp(intent, parts, isFinal ? { ...intent.ledger, outcome, at: parts.now() } : undefined);
  return { result };
}

/** Takes the announcement back. */
async function giveUp(intent: Intent, parts: DeferredParts, refused?: LedgerRow): Promise<void> {
  await withApplicationsRecord(intent, parts, async (transaction, asked) => {
    const { records, ledger: known, facts } = await transaction.load(loadRequestOf(intent));
    const [before] = records;
    if (!isOf(before, asked)) return { askAt: before?.version };
    const moment = { now: parts.now(), versionFloor: facts.versionFloor };
    const left = asked.record && leftOver(intent, asked.record, { before, ...moment });
    const ledger = refused ? [besideOthers(refused, known, null)] : [];
    await transaction.save({ settledIntents: [refOf(intent)], records: left ? [left] : [], ledger, isLast: true });
    return { done: undefined };
  });
}

/**
 * What an earlier try left in the application's record, as a change that came past sync; `undefined` when it left
 * nothing. If a write past sync has overwritten a part, the try does not count as made, but its rest is still there. Only
 * the application knows that rest: its hooks may have written fields that no mutation names. After a delete, the
 * application's record is another one, created past sync.
 */
function leftOver(
  { objectName, recordId, mutation, state: planned }: Intent,
  record: JsonObject,
  { before, ...moment }: Parameters<typeof madeAnew>[2],
): RecordState | undefined {
  const ref = { objectName, recordId };
  const known = before?.data ?? {};
  if (mutation.operation === 'delete') {
    const isWhole = Object.keys(known).every((field) => Object.hasOwn(record, field));
    return isWhole ? undefined : madeAnew(ref, record, { before, ...moment });
  }
  const isWrittenOver = planned.version <= (before?.version ?? moment.versionFloor);
  const isLeft = Object.entries(mutation.data ?? {}).some(
    ([field, value]) => jsonEquals(ownValue(record, field), value) && !jsonEquals(ownValue(known, field), value),
  );
  return isWrittenOver || isLeft
    ? stateOfChange({ ...ref, operation: 'update', data: record }, before, moment)
    : undefined;
}

/**
 * The application's record, if it contains the announced write; `undefined` when that is still to be made. The whole
 * record counts, because the application's hooks may have changed more than was announced.
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

/** Commits the announced write as made, behind any write that came past sync in the meantime. */
async function confirm(
  intent: Intent,
  stored: JsonObject | undefined,
  parts: DeferredParts,
): Promise<{ readonly state: RecordState; readonly end: FeedEnd | undefined }> {
  return withApplicationsRecord(intent, parts, async (transaction, asked) => {
    const ref = refOf(intent);
    const { records, ledger, facts } = await transaction.load(loadRequestOf(intent));
    const [now] = records;
    const { state: planned } = intent;
    const isAsPlanned = planned.version > (now?.version ?? facts.versionFloor);
    if (!isAsPlanned && !isOf(now, asked)) return { askAt: now?.version };
    const state = isAsPlanned
      ? stored
        ? withStoredRecord(planned, stored)
        : planned
      : followingState(intent, asked?.record, { before: now, versionFloor: facts.versionFloor });
    // A clone of the device may have taken this place in the log meanwhile; the outcome is remembered all the same.
    const row = { ...besideOthers(intent.ledger, ledger, null), outcome: at(intent, state) };
    const end = await transaction.save({ records: [state], ledger: [row], settledIntents: [ref], isLast: true });
    return { done: { state, end } };
  });
}

/**
 * When another version was written since the write was planned: the application's record, as the next version. Only the
 * application knows which of the two writes came last.
 */
function followingState(
  { objectName, recordId, mutation, state: planned }: Intent,
  record: JsonObject | undefined,
  { before: known, versionFloor }: { readonly before: RecordState | undefined; readonly versionFloor: number },
): RecordState {
  const before = known ?? forgotten(planned, versionFloor);
  const { changedAt, origin } = planned;
  const common = { objectName, recordId, stamp: latestWrite(planned), changedAt, origin };
  if (!record) return writeRecord(before, { ...common, operation: 'delete', data: {} }, versionFloor);
  const write = { ...common, operation: 'update', data: mutation.data ?? {} } as const;
  return withStoredRecord(writeRecord(before, write, versionFloor), record);
}

/** Loads the intent's record, and the ledger's row at its place in the log. */
function loadRequestOf(intent: Intent): LoadRequest {
  const { logId, sequence } = intent.ledger;
  const log = logId === null ? {} : { log: { logId, sequences: [sequence] } };
  return { records: [refOf(intent)], mutationIds: [], ...log };
}

/** The record as it was when its tombstone was dropped: deleted by somebody, at a version up to the floor. */
function forgotten(planned: RecordState, versionFloor: number): RecordState {
  const run = { logId: SERVER_LOG_ID, from: versionFloor };
  return { ...planned, version: versionFloor, data: null, writes: [], run };
}

/** The application's record when it was asked, and the store's version before that. */
interface Asked {
  readonly version: number | undefined;
  readonly record: JsonObject | undefined;
}

/** Either the transaction is over, or the application has to be asked, with the store at this version. */
type Step<T> = { readonly done: T } | { readonly askAt: number | undefined };

/**
 * Runs `work` in a transaction, and again when it needs the application's record. The application is asked outside of
 * transactions: its queries may need connections of the store's pool, and would wait for those that transactions hold.
 * A write past sync after it was asked changes the version, so it is asked again.
 */
async function withApplicationsRecord<T>(
  intent: Intent,
  { store, caller }: DeferredParts,
  work: (transaction: StoreTransaction, asked: Asked | undefined) => Promise<Step<T>>,
): Promise<T> {
  for (let asked: Asked | undefined; ; ) {
    const step = await store.transaction((transaction) => work(transaction, asked));
    if ('done' in step) return step.done;
    asked = { version: step.askAt, record: await caller.getRecord(refOf(intent), undefined) };
  }
}

/** True if the application was asked when the store's record was in this state. */
function isOf(state: RecordState | undefined, asked: Asked | undefined): asked is Asked {
  return asked !== undefined && asked.version === state?.version;
}

function at({ ledger }: Intent, { version }: RecordState): Intent['ledger']['outcome'] {
  return ledger.outcome.status === 'applied' ? { ...ledger.outcome, version } : ledger.outcome;
}
