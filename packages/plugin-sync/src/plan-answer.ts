/**
 * What one answer changes in the client's storage: a pure function of the answer and what the client has, so that it all
 * becomes durable in one transaction.
 */
import {
  isRetryable,
  type JsonObject,
  type RecordRef,
  type RejectionCode,
  recordKey,
  type SyncConflict,
  type SyncMutationResult,
  type SyncPushResponse,
  type SyncServerChange,
} from '@objectql/sync-types';
import type { Resolution } from './conflict-resolver.js';
import type { BaseRecord, StorageBatch, StoredEntry } from './storage/client-storage.js';

/** What became of a mutation. */
export type MutationOutcome =
  | { readonly status: 'applied'; readonly serverVersion: number; readonly droppedFields: readonly string[] }
  /** It waits in the conflict list. */
  | { readonly status: 'conflict'; readonly conflict: SyncConflict }
  /** It lies in the dead-letter list. */
  | { readonly status: 'rejected'; readonly code: RejectionCode; readonly reason: string };

/** A mutation that takes the place of one that met a conflict. */
export interface FollowUp {
  readonly of: StoredEntry;
  readonly conflict: SyncConflict;
  readonly resolution: Extract<Resolution, { do: 'write' }>;
}

/** A mutation the server could not take now; its record waits. */
export interface Hold {
  readonly entry: StoredEntry;
  readonly retryAfterMs: number | undefined;
}

export interface AnswerInput {
  readonly sent: readonly StoredEntry[];
  readonly answer: SyncPushResponse;
  /** For each conflict, by mutation id, how it is resolved. */
  readonly resolutions: ReadonlyMap<string, Resolution>;
  /** The stored records that the answer names, by record key. */
  readonly baseByKey: ReadonlyMap<string, BaseRecord>;
  /** The walk this answer belongs to, if the feed is being walked anew. */
  readonly walk: string | null;
  /** Epoch milliseconds. */
  readonly now: number;
  /** False for objects whose server changes this client does not keep. */
  readonly keepsChangesOf: (objectName: string) => boolean;
  /** True when another mutation was settled since this one was last tried. */
  readonly othersPassed: (id: string) => boolean;
}

export interface AnswerPlan {
  readonly batch: Omit<StorageBatch, 'meta' | 'expectCheckpoint'>;
  readonly outcomes: ReadonlyMap<string, MutationOutcome>;
  readonly followUps: readonly FollowUp[];
  readonly holds: readonly Hold[];
  /** The records whose stored state changes, and those whose pending mutations do. */
  readonly touched: readonly RecordRef[];
  /** The changes this client keeps, as listeners are told. */
  readonly changes: readonly SyncServerChange[];
}

/** 10: enough for a failure that passes, few enough that a poison mutation shows itself within minutes. */
export const MAX_TRIES = 10;

/** Plans what an answer changes. `answer.results` stand in the order of `sent`. */
export function planAnswer(input: AnswerInput): AnswerPlan {
  const records = new RecordChanges(input);
  const plan = new OutcomePlan(input);
  input.sent.forEach((entry, index) => {
    const result = input.answer.results[index];
    if (!result) return;
    plan.take(entry, result);
    if (result.status === 'applied') records.applyResult(entry, result);
  });
  const changes = input.answer.serverChanges.filter(({ objectName }) => input.keepsChangesOf(objectName));
  for (const change of changes) records.applyChange(change);
  const isWalkOver = input.walk !== null && input.answer.hasMore !== true;
  return {
    batch: { ...plan.batch(), ...records.batch(), ...(isWalkOver ? { sweepWalk: input.walk } : {}) },
    outcomes: plan.outcomes,
    followUps: plan.followUps,
    holds: plan.holds,
    touched: [...input.sent.map(({ mutation }) => mutation), ...changes].map(({ objectName, recordId }) => ({
      objectName,
      recordId,
    })),
    changes,
  };
}

/** The base records as the answer leaves them: the higher version is kept, whatever the order. */
class RecordChanges {
  readonly #input: AnswerInput;
  readonly #nowByKey = new Map<string, { readonly ref: RecordRef; readonly record: BaseRecord | undefined }>();

  constructor(input: AnswerInput) {
    this.#input = input;
  }

  applyResult(
    { mutation }: StoredEntry,
    { serverVersion, record }: Extract<SyncMutationResult, { status: 'applied' }>,
  ): void {
    const base = this.#base(mutation);
    if (record !== undefined) return this.#put(mutation, serverVersion, record);
    // Without a record, the new state is what this client had plus what it sent.
    if (mutation.operation === 'delete') return this.#put(mutation, serverVersion, null);
    const before = mutation.operation === 'create' ? undefined : base?.data;
    this.#put(mutation, serverVersion, { ...before, ...mutation.data });
  }

  applyChange(change: SyncServerChange): void {
    this.#put(change, change.serverVersion, change.operation === 'delete' ? null : (change.data ?? {}));
  }

  batch(): Pick<StorageBatch, 'putRecords' | 'removeRecords'> {
    const changed = [...this.#nowByKey.values()];
    return {
      putRecords: changed.flatMap(({ record }) => (record ? [record] : [])),
      removeRecords: changed.flatMap(({ ref, record }) => (record ? [] : [ref])),
    };
  }

  #put({ objectName, recordId }: RecordRef, version: number, data: JsonObject | null): void {
    const ref = { objectName, recordId };
    const base = this.#base(ref);
    const { walk } = this.#input;
    // A record this walk has not seen yet is from before the reset: whatever its version, it counts for nothing.
    const isFromBefore = walk !== null && base?.walk !== walk;
    if (base && !isFromBefore && version < base.version) return;
    this.#nowByKey.set(recordKey(ref), { ref, record: data === null ? undefined : { ...ref, version, data, walk } });
  }

  #base(ref: RecordRef): BaseRecord | undefined {
    const key = recordKey(ref);
    const changed = this.#nowByKey.get(key);
    return changed ? changed.record : this.#input.baseByKey.get(key);
  }
}

/** Where each mutation goes: out of the log as settled, into the conflict list or the dead letters, or on hold. */
class OutcomePlan {
  readonly outcomes = new Map<string, MutationOutcome>();
  readonly followUps: FollowUp[] = [];
  readonly holds: Hold[] = [];
  readonly #input: AnswerInput;
  readonly #settledIds: string[] = [];
  readonly #conflicts: NonNullable<StorageBatch['putConflicts']>[number][] = [];
  readonly #deadLetters: NonNullable<StorageBatch['putDeadLetters']>[number][] = [];
  readonly #charged: StoredEntry[] = [];
  readonly #someonePassed: boolean;

  constructor(input: AnswerInput) {
    this.#input = input;
    this.#someonePassed = input.answer.results.some((result) => result.status !== 'rejected' || !isHeldBy(result));
  }

  batch(): Pick<StorageBatch, 'removeEntries' | 'putEntries' | 'putConflicts' | 'putDeadLetters'> {
    return {
      removeEntries: this.#settledIds,
      putEntries: this.#charged,
      putConflicts: this.#conflicts,
      putDeadLetters: this.#deadLetters,
    };
  }

  take(entry: StoredEntry, result: SyncMutationResult): void {
    switch (result.status) {
      case 'applied': {
        const { serverVersion, droppedFields = [] } = result;
        return this.#settle(entry, { status: 'applied', serverVersion, droppedFields });
      }
      case 'conflict':
        return this.#meet(entry, result.conflict);
      case 'rejected':
        return isHeldBy(result) ? this.#hold(entry, result) : this.#bury(entry, codeOf(result), result.reason);
    }
  }

  #meet(entry: StoredEntry, conflict: SyncConflict): void {
    const resolution = this.#input.resolutions.get(entry.mutation.id) ?? { do: 'park' };
    switch (resolution.do) {
      case 'yield': {
        const serverVersion = conflict.serverVersion ?? 0;
        return this.#settle(entry, { status: 'applied', serverVersion, droppedFields: resolution.droppedFields });
      }
      case 'write':
        // Its outcome is that of the mutation that follows it.
        this.followUps.push({ of: entry, conflict, resolution });
        this.#settledIds.push(entry.mutation.id);
        return;
      case 'park':
        this.#conflicts.push({ id: entry.mutation.id, conflict, parkedAt: this.#input.now });
        return this.#settle(entry, { status: 'conflict', conflict });
    }
  }

  #hold(entry: StoredEntry, result: Extract<SyncMutationResult, { status: 'rejected' }>): void {
    // Only a failure of this very mutation is charged to it, and only while the server manages others.
    const isCharged =
      codeOf(result) === 'INTERNAL' && (this.#someonePassed || this.#input.othersPassed(entry.mutation.id));
    const tries = entry.tries + (isCharged ? 1 : 0);
    if (tries >= MAX_TRIES) return this.#bury(entry, codeOf(result), result.reason);
    if (isCharged) this.#charged.push({ ...entry, tries });
    this.holds.push({ entry, retryAfterMs: result.retryAfterMs });
  }

  #bury(entry: StoredEntry, code: RejectionCode, reason: string): void {
    const { mutation } = entry;
    this.#deadLetters.push({ id: mutation.id, mutation, code, reason, deadAt: this.#input.now });
    this.#settle(entry, { status: 'rejected', code, reason });
  }

  #settle(entry: StoredEntry, outcome: MutationOutcome): void {
    this.#settledIds.push(entry.mutation.id);
    this.outcomes.set(entry.mutation.id, outcome);
  }
}

/** A protocol-1 server rejects without a code, and means it. */
function codeOf(result: Extract<SyncMutationResult, { status: 'rejected' }>): RejectionCode {
  return result.code ?? 'INVALID';
}

function isHeldBy(result: Extract<SyncMutationResult, { status: 'rejected' }>): boolean {
  return result.retryable ?? isRetryable(codeOf(result));
}
