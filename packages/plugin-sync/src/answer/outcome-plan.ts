/**
 * Decides where each sent mutation goes: out of the log as settled, to the conflict list or dead letters, or on hold.
 */
import {
  isRetryable,
  type JsonObject,
  type RecordRef,
  recordKey,
  type SyncConflict,
  type SyncMutationResult,
  type ToldRejectionCode,
} from '@objectql/sync-types';
import type { Resolution } from '../conflicts/conflict-resolver.js';
import { followUpOf, type Write } from '../conflicts/follow-up.js';
import type { DroppedFields } from '../listeners/sync-listener.js';
import type { NewEntry } from '../log/log-entry.js';
import type { DeadLetter, ParkedConflict, StoredEntry } from '../storage/client-storage.js';
import type { MutationOutcome } from './mutation-outcome.js';

/** A conflict with its resolution. */
export interface Decided {
  readonly conflict: SyncConflict;
  readonly resolution: Resolution;
  /** The record as the user saw it, if the server has deleted it. */
  readonly copy: JsonObject | undefined;
}

/** What became of a mutation, including the decision of its conflict. */
export type DecidedResult =
  | Exclude<SyncMutationResult, { readonly status: 'conflict' }>
  | ({ readonly status: 'conflict' } & Decided);

/** A mutation that was sent, with what became of it. */
export interface DecidedEntry {
  readonly entry: StoredEntry;
  readonly result: DecidedResult;
}

/** A mutation that the server could not take now; its record waits. */
export interface Hold {
  readonly entry: StoredEntry;
  readonly retryAfterMs: number | undefined;
  /** True when it got no answer: it goes behind all others from now on. */
  readonly isPutOff?: boolean;
}

/** The mutation gets the outcome of the new one that replaces it, which has this id. */
export interface Succession {
  readonly successor: string;
  readonly droppedFields: readonly string[];
}

export interface OutcomeInput {
  /** In the order they were sent. */
  readonly decided: readonly DecidedEntry[];
  /** The pending entries of a record, the oldest first. */
  readonly pendingOf: (ref: RecordRef) => readonly StoredEntry[];
  /** True when another mutation was settled since this one was last tried. */
  readonly othersPassed: (id: string) => boolean;
  /** Epoch milliseconds. */
  readonly now: number;
  /** A fresh id. */
  readonly newId: () => string;
}

/** 10: enough for a failure that passes, few enough that a poison mutation shows itself within minutes. */
export const MAX_TRIES = 10;

export class OutcomePlan {
  /** The outcomes of the entries that leave the log, by id. */
  readonly settled = new Map<string, MutationOutcome | Succession>();
  readonly newEntries: NewEntry[] = [];
  readonly holds: Hold[] = [];
  readonly dropped: DroppedFields[] = [];
  /** All conflicts that were met, including those resolved without the user. */
  readonly met: SyncConflict[] = [];
  /** The entries that stay but change, by id: they got one try more, or a copy of a record that disappears. */
  readonly changedById = new Map<string, StoredEntry>();
  readonly parked: ParkedConflict[] = [];
  readonly deadLetters: DeadLetter[] = [];
  /** True when the server wants fewer mutations at a time. */
  isBatchTooLarge = false;
  readonly #input: OutcomeInput;
  readonly #somePassed: boolean;
  readonly #heldKeys = new Set<string>();
  /** The id of the create that re-creates a record, by record. */
  readonly #recreationByKey = new Map<string, string>();

  constructor(input: OutcomeInput) {
    this.#input = input;
    this.#somePassed = input.decided.some(({ result }) => result.status !== 'rejected' || !isHeldBy(result));
    for (const { entry, result } of input.decided) this.#take(entry, result);
  }

  #take(entry: StoredEntry, result: DecidedResult): void {
    if (result.status === 'applied') {
      const { serverVersion: version, droppedFields = [] } = result;
      this.#settle(entry, { status: 'applied', version, droppedFields });
    } else if (result.status === 'conflict') this.#meet(entry, result);
    else this.#refuse(entry, result);
  }

  /** A mutation that is written again gets the outcome of the one that replaces it. */
  #meet(entry: StoredEntry, { conflict, resolution, copy }: Decided): void {
    const { id } = entry.mutation;
    this.met.push(conflict);
    if (resolution.do === 'park') {
      const parked = { id, conflict, parkedAt: this.#input.now, ...(copy ? { copy } : {}) };
      this.parked.push(parked);
      return this.#settle(entry, { status: 'conflict', ...parked });
    }
    const { droppedFields } = resolution;
    const successor = resolution.do === 'write' ? this.#successor(entry, conflict, resolution) : undefined;
    // Without a successor the server's record stands, or the user's own later change has replaced this one.
    const outcome = { status: 'applied', version: conflict.serverVersion ?? 0, droppedFields } as const;
    this.#settle(entry, successor === undefined ? outcome : { successor, droppedFields });
  }

  #successor(entry: StoredEntry, conflict: SyncConflict, write: Write): string | undefined {
    const key = recordKey(entry.mutation);
    // The first create carries the whole local copy: a second one of the record would only conflict with it.
    const recreation = this.#recreationByKey.get(key);
    if (recreation !== undefined) return recreation;
    const { pendingOf, newId } = this.#input;
    const later = pendingOf(entry.mutation).filter(({ mutation }) => mutation.sequence > entry.mutation.sequence);
    const followUp = followUpOf(conflict, write, { round: entry.round + 1, later });
    if (!followUp) return undefined;
    const id = newId();
    this.newEntries.push({ ...followUp, id });
    if (write.operation === 'create') this.#recreationByKey.set(key, id);
    return id;
  }

  #refuse(entry: StoredEntry, result: Rejection): void {
    const code = codeOf(result);
    const { id } = entry.mutation;
    if (code === 'BATCH_TOO_LARGE') {
      // It is sent again at once with fewer others; one that is too large alone never gets through.
      this.isBatchTooLarge = this.#input.decided.length > 1;
      return this.isBatchTooLarge ? undefined : this.#bury(entry, 'TOO_LARGE', result.reason);
    }
    if (!isHeldBy(result)) return this.#bury(entry, code, result.reason);
    const key = recordKey(entry.mutation);
    // A mutation that only waits for an earlier one of its record has not failed.
    const isWaiting = code === 'BUSY' && this.#heldKeys.has(key);
    this.#heldKeys.add(key);
    const isCharged = !isWaiting && (this.#somePassed || this.#input.othersPassed(id));
    const tries = entry.tries + (isCharged ? 1 : 0);
    if (tries >= MAX_TRIES) return this.#bury(entry, code, result.reason);
    if (isCharged) this.changedById.set(id, { ...entry, tries });
    this.holds.push({ entry, retryAfterMs: result.retryAfterMs });
  }

  #bury(entry: StoredEntry, code: ToldRejectionCode, reason: string): void {
    const { mutation } = entry;
    this.deadLetters.push({ id: mutation.id, mutation, code, reason, deadAt: this.#input.now });
    this.#settle(entry, { status: 'rejected', code, reason });
  }

  #settle({ mutation }: StoredEntry, outcome: MutationOutcome | Succession): void {
    this.settled.set(mutation.id, outcome);
    const { droppedFields = [] } = 'droppedFields' in outcome ? outcome : {};
    if (droppedFields.length > 0) this.dropped.push({ mutation, droppedFields });
  }
}

type Rejection = Extract<SyncMutationResult, { readonly status: 'rejected' }>;

/** A protocol-1 server rejects without a code, and for good. */
function codeOf({ code }: Rejection): ToldRejectionCode {
  return code ?? 'INVALID';
}

function isHeldBy(result: Rejection): boolean {
  return result.retryable ?? isRetryable(codeOf(result));
}
