/**
 * One push inside its transaction: what was loaded, what has been decided so far, and what is to be saved.
 * Later mutations of the request see what earlier ones wrote.
 */
import { createHash } from 'node:crypto';
import { type MutationLogEntry, RecordMap, type RecordRef, type WriteStamp } from '@objectql/sync-types';
import { RecordSet } from '../records/record-set.js';
import {
  type Intent,
  type LedgerOutcome,
  type LedgerRow,
  type Loaded,
  type LoadRequest,
  logsIn,
  type PlacesOfLog,
  type RecordState,
  type SaveRequest,
  type StoreFacts,
} from '../storage/sync-store.js';
import { SyncRequestError } from '../sync-request-error.js';
import { contentHash } from './content-hash.js';
import { besideOthers, ledgerRow } from './ledger.js';
import { CLIENT_LINEAGE_PREFIX, type PushRequest } from './push-request.js';

/**
 * Of a protocol-1 client, whose name anybody may give theirs: with the user, or one could write as the other's device, and
 * keep its next writes out as too late. Hashed, because stamps tell others of it.
 */
function deviceOf({ clientId }: PushRequest, principal: string | null): string {
  return createHash('sha256')
    .update(JSON.stringify([principal, clientId]))
    .digest('base64url');
}

/** What must be read before a push's mutations can be decided. */
export function loadRequestOf({ logId, checkpoint }: PushRequest, mutations: readonly MutationLogEntry[]): LoadRequest {
  const request = { records: mutations, mutationIds: mutations.map(({ id }) => id), epoch: checkpoint?.epoch };
  if (logId === null) return request;
  const log = { logId, sequences: mutations.map(({ sequence }) => sequence) };
  const moved = mutations.filter(({ firstLogId = logId }) => firstLogId !== logId);
  return moved.length === 0 ? { ...request, log } : { ...request, log, formerLogs: placesByFirstLog(moved) };
}

function placesByFirstLog(mutations: readonly MutationLogEntry[]): readonly PlacesOfLog[] {
  const sequencesByLog = new Map<string, number[]>();
  for (const { firstLogId = '', sequence } of mutations) {
    const sequences = sequencesByLog.get(firstLogId);
    if (sequences) sequences.push(sequence);
    else sequencesByLog.set(firstLogId, [sequence]);
  }
  return Array.from(sequencesByLog, ([logId, sequences]) => ({ logId, sequences }));
}

/** Whose push it is, and what it has read. */
interface Known {
  readonly principal: string | null;
  readonly asked: LoadRequest;
  readonly loaded: Loaded;
}

/** A record as a push sees it. */
export interface SeenRecord {
  readonly state: RecordState;
  /** Its place before this push; infinite if this push wrote it. */
  readonly place: number;
}

/** The same, as the session keeps it. */
interface Kept extends SeenRecord {
  state: RecordState;
  place: number;
  /** Its index among the records that this push wrote; -1 if it did not. */
  turn: number;
}

export class PushSession {
  readonly request: PushRequest;
  readonly now: number;
  /** Whether this push took a record of the application's into the feed. */
  isAdopting = false;
  /** The id of who asks; `null` where nobody is authenticated. */
  readonly principal: string | null;
  /** In field stamps: the log, or the device of a protocol-1 client. */
  readonly #lineage: string;
  readonly #loaded: Loaded;
  readonly #records = new RecordMap<Kept>();
  readonly #ledgerById = new Map<string, LedgerRow>();
  /** In the order of their last writes; a record that is written again leaves a hole. */
  readonly #written: (Kept | undefined)[] = [];
  readonly #remembered: LedgerRow[] = [];
  readonly #held = new RecordSet();
  readonly #floorByFormerLog: ReadonlyMap<string, number>;
  /** Former logs that this server does not know, because it was restored since. */
  readonly #unknownLogIds: readonly string[];
  readonly #floor: number;
  #lastTime: number;
  #lastApplied: Extract<LedgerOutcome, { status: 'applied' }> | undefined;

  constructor(request: PushRequest, { principal, asked, loaded }: Known, now: number) {
    this.request = request;
    this.principal = principal;
    this.#lineage = request.logId ?? CLIENT_LINEAGE_PREFIX + deviceOf(request, principal);
    this.now = now;
    this.#loaded = loaded;
    this.#lastTime = loaded.log?.lastTime ?? 0;
    this.#floor = loaded.log?.floor ?? 0;
    this.#floorByFormerLog = new Map(loaded.formerLogs.map(({ logId, floor }) => [logId, floor]));
    const formerIds = asked.formerLogs?.map(({ logId }) => logId) ?? [];
    this.#unknownLogIds = formerIds.filter((logId) => !this.#floorByFormerLog.has(logId));
    for (const state of loaded.records) this.#records.set(state, { state, place: state.place, turn: -1 });
    for (const row of loaded.ledger) this.#ledgerById.set(row.mutationId, row);
  }

  get facts(): StoreFacts {
    return this.#loaded.facts;
  }

  get versionFloor(): number {
    return this.facts.versionFloor;
  }

  /** Throws when the log belongs to somebody else or to a clone: nothing of the request may be executed. */
  refuseForeignLog(mutations: readonly MutationLogEntry[]): void {
    const { ledger } = this.#loaded;
    if (logsIn(this.#loaded).some((known) => known.principal !== this.principal)) {
      throw new SyncRequestError(
        'WRONG_PRINCIPAL',
        'This log belongs to another user. Sign in as that user to send it.',
      );
    }
    if (this.request.logId === null) return;
    const rows = ledger.filter(({ logId }) => logId === this.request.logId);
    const idBySequence = new Map(rows.map((row) => [row.sequence, row.mutationId]));
    const forked = mutations.find(({ id, sequence }) => (idBySequence.get(sequence) ?? id) !== id);
    if (!forked) return;
    throw new SyncRequestError(
      'LOG_FORKED',
      `Sequence ${forked.sequence} of this log is another mutation: the device was cloned or restored. Start a new log.`,
    );
  }

  record(ref: RecordRef): SeenRecord | undefined {
    return this.#records.get(ref);
  }

  /** All records of this push, as they are now. */
  seen(): readonly RecordState[] {
    return this.#records.values().map(({ state }) => state);
  }

  /** The write announced for this record and never confirmed, if a crash left one behind. */
  intent(ref: RecordRef): Intent | undefined {
    const { objectName, recordId } = ref;
    return this.#loaded.intents.find((one) => one.objectName === objectName && one.recordId === recordId);
  }

  /**
   * The outcome that this mutation already has; `REUSED` when its id has other content, `EXPIRED` when it is forgotten.
   */
  recall(mutation: MutationLogEntry): LedgerOutcome | 'REUSED' | 'EXPIRED' | undefined {
    const row = this.#ledgerById.get(mutation.id);
    if (row) return row.contentHash === contentHash(mutation, this.principal) ? row.outcome : 'REUSED';
    const { sequence, firstLogId = '' } = mutation;
    const floor = Math.max(this.#floor, this.#floorByFormerLog.get(firstLogId) ?? 0);
    return sequence > floor ? undefined : 'EXPIRED';
  }

  /** The stamp of the mutation's write. Its time is corrected for the client's clock, never in the future, and never falls. */
  stamp({ timestamp, sequence }: MutationLogEntry): WriteStamp {
    const { sentAt } = this.request;
    const corrected = Date.parse(timestamp) + (sentAt === undefined ? 0 : this.now - sentAt);
    this.#lastTime = Math.max(this.#lastTime, Math.min(corrected, this.now));
    return { time: this.#lastTime, logId: this.#lineage, sequence };
  }

  remember(mutation: MutationLogEntry, outcome: LedgerOutcome): LedgerRow {
    const { logId } = this.request;
    const firstLogId = logId === null ? null : (mutation.firstLogId ?? logId);
    const first = ledgerRow(mutation, this.#shared(outcome), {
      principal: this.principal,
      logId: firstLogId,
      at: this.now,
    });
    const row = firstLogId === logId ? first : besideOthers(first, this.#loaded.ledger, logId);
    this.#ledgerById.set(row.mutationId, row);
    this.#remembered.push(row);
    return row;
  }

  /** Neighbours with equal outcomes share one object: the rows are kept for weeks, and most are the same. */
  #shared(outcome: LedgerOutcome): LedgerOutcome {
    if (outcome.status !== 'applied' || outcome.droppedFields.length > 0) return outcome;
    if (this.#lastApplied?.version !== outcome.version) this.#lastApplied = outcome;
    return this.#lastApplied;
  }

  write(state: RecordState): void {
    let kept = this.#records.get(state);
    if (!kept) {
      kept = { state, place: Number.POSITIVE_INFINITY, turn: -1 };
      this.#records.set(state, kept);
    }
    // A record that is written twice takes its place in the feed from the last write.
    if (kept.turn >= 0) this.#written[kept.turn] = undefined;
    kept.state = state;
    kept.place = Number.POSITIVE_INFINITY;
    kept.turn = this.#written.push(kept) - 1;
  }

  /** After a retryable rejection the record's later mutations wait, or they would be applied out of order. */
  hold(ref: RecordRef): void {
    this.#held.add(ref);
  }

  isHeld(ref: RecordRef): boolean {
    return this.#held.has(ref);
  }

  /** Everything this push decided, to be saved in its transaction. */
  changes(): SaveRequest {
    const { principal } = this;
    const { logId } = this.request;
    return {
      records: this.#written.flatMap((kept) => kept?.state ?? []),
      // A copy: an announced write is remembered later, and saved when it is confirmed.
      ledger: [...this.#remembered],
      // Outcomes are remembered in these logs, so their floors need a row.
      formerLogs: this.#unknownLogIds.map((formerId) => ({ logId: formerId, principal, floor: 0, lastTime: 0 })),
      ...(logId === null
        ? {}
        : {
            log: { logId, principal, floor: this.#floor, lastTime: this.#lastTime },
          }),
    };
  }
}
