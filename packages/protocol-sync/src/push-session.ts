/**
 * One push inside its transaction: what was loaded, what has been decided so far, and what is to be saved.
 * Later mutations of the request see what earlier ones wrote.
 */
import type { MutationLogEntry, RecordRef, SyncMutationResult, WriteStamp } from '@objectql/sync-types';
import { rejectedResult } from './answer.js';
import { contentHash } from './content-hash.js';
import { ledgerRow } from './ledger.js';
import type { PushItem, PushRequest } from './push-request.js';
import { RecordMap } from './record-map.js';
import type {
  Intent,
  LedgerOutcome,
  LedgerRow,
  Loaded,
  LoadRequest,
  RecordState,
  SaveRequest,
  StoreFacts,
} from './storage/sync-store.js';
import { SyncRequestError } from './sync-request-error.js';

/** What must be read before a push's mutations can be decided. */
export function loadRequestOf({ logId, checkpoint }: PushRequest, mutations: readonly MutationLogEntry[]): LoadRequest {
  return {
    records: mutations,
    mutationIds: mutations.map(({ id }) => id),
    epoch: checkpoint?.epoch,
    ...(logId === null ? {} : { log: { logId, sequences: mutations.map(({ sequence }) => sequence) } }),
  };
}

/** A record as a push sees it. */
export interface SeenRecord {
  readonly state: RecordState;
  /** Its place before this push; infinite for one this push wrote. */
  readonly place: number;
}

/** The same, as the session keeps it. */
interface Kept extends SeenRecord {
  state: RecordState;
  place: number;
  /** Where it stands among the records that this push wrote; -1 for one it did not write. */
  turn: number;
}

export class PushSession {
  readonly request: PushRequest;
  readonly now: number;
  /** Whether a record of the application's was taken into the feed. */
  isAdopting = false;
  readonly #loaded: Loaded;
  readonly #records = new RecordMap<Kept>();
  readonly #ledgerById = new Map<string, LedgerRow>();
  /** In the order of their last writes; a hole is left where one was written again. */
  readonly #written: (Kept | undefined)[] = [];
  readonly #remembered: LedgerRow[] = [];
  readonly #held = new RecordMap<true>();
  /** In a forked log, what has to be told before its device is: mutations whose outcome is forgotten. */
  readonly #toldBeforeFork = new Set<string>();
  #lastTime: number;
  #lastApplied: Extract<LedgerOutcome, { status: 'applied' }> | undefined;

  constructor(request: PushRequest, loaded: Loaded, now: number) {
    this.request = request;
    this.now = now;
    this.#loaded = loaded;
    this.#lastTime = loaded.log?.lastTime ?? 0;
    for (const state of loaded.records) this.#records.set(state, { state, place: state.place, turn: -1 });
    for (const row of loaded.ledger) this.#ledgerById.set(row.mutationId, row);
  }

  get facts(): StoreFacts {
    return this.#loaded.facts;
  }

  get versionFloor(): number {
    return this.facts.versionFloor;
  }

  /** At or below this sequence of the request's log, outcomes may be forgotten. */
  get logFloor(): number {
    return this.#loaded.log?.floor ?? 0;
  }

  /** Throws when the request's log is somebody else's, or that of a clone: nothing of the request may be executed. */
  refuseForeignLog(principal: string | null, mutations: readonly MutationLogEntry[]): void {
    const { log, ledger } = this.#loaded;
    if (log && log.principal !== principal) {
      throw new SyncRequestError(
        'WRONG_PRINCIPAL',
        'This log belongs to another user. Sign in as that user to send it.',
      );
    }
    if (this.request.logId === null) return;
    const rows = ledger.filter(({ logId }) => logId === this.request.logId);
    const idBySequence = new Map(rows.map((row) => [row.sequence, row.mutationId]));
    if (idBySequence.size === 0) return;
    const isOthers = ({ id, sequence }: MutationLogEntry) => (idBySequence.get(sequence) ?? id) !== id;
    const forked = mutations.find(isOthers);
    if (!forked) return;
    // In a new log nothing tells that their outcome is forgotten, and they would be applied once more: they are told first.
    const expired = mutations.filter((mutation) => !isOthers(mutation) && this.recall(mutation) === 'EXPIRED');
    for (const { id } of expired) this.#toldBeforeFork.add(id);
    if (expired.length > 0) return;
    throw new SyncRequestError(
      'LOG_FORKED',
      `Sequence ${forked.sequence} of this log is another mutation: the device was cloned or restored. Start a new log.`,
    );
  }

  /** In a log that is forked, the answer to a mutation that has to wait for the new log its device is to start. */
  waitForNewLog(item: PushItem): SyncMutationResult | undefined {
    if (!('mutation' in item) || this.#toldBeforeFork.size === 0) return undefined;
    const { id } = item.mutation;
    if (this.#toldBeforeFork.has(id)) return undefined;
    const reason = 'An earlier change of this log is settled first. Send this one again.';
    return rejectedResult(id, { code: 'BUSY', reason });
  }

  record(ref: RecordRef): SeenRecord | undefined {
    return this.#records.get(ref);
  }

  /** All records of this push, as they stand now. */
  seen(): readonly RecordState[] {
    return Array.from(this.#records.values(), ({ state }) => state);
  }

  /** The write announced for this record and never confirmed, if a crash left one behind. */
  intent(ref: RecordRef): Intent | undefined {
    const { objectName, recordId } = ref;
    return this.#loaded.intents.find((one) => one.objectName === objectName && one.recordId === recordId);
  }

  /** The outcome this mutation already has; `REUSED` when its id belongs to another content, `EXPIRED` when it is forgotten. */
  recall(mutation: MutationLogEntry): LedgerOutcome | 'REUSED' | 'EXPIRED' | undefined {
    const row = this.#ledgerById.get(mutation.id);
    if (row) return row.contentHash === contentHash(mutation) ? row.outcome : 'REUSED';
    return mutation.sequence <= this.logFloor ? 'EXPIRED' : undefined;
  }

  /** The stamp of the mutation as a write: its time corrected for the client's clock, never in the future, never going back. */
  stamp({ timestamp, sequence }: MutationLogEntry): WriteStamp {
    const { sentAt, lineage } = this.request;
    const corrected = Date.parse(timestamp) + (sentAt === undefined ? 0 : this.now - sentAt);
    this.#lastTime = Math.max(this.#lastTime, Math.min(corrected, this.now));
    return { time: this.#lastTime, logId: lineage, sequence };
  }

  remember(mutation: MutationLogEntry, outcome: LedgerOutcome): LedgerRow {
    const row = ledgerRow(mutation, this.#shared(outcome), { logId: this.request.logId, at: this.now });
    this.#ledgerById.set(row.mutationId, row);
    this.#remembered.push(row);
    return row;
  }

  /** One object for neighbours with one outcome: the rows of a push are kept for weeks, and most of them tell the same. */
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
    // A record written twice takes its place in the feed from its last write.
    if (kept.turn >= 0) this.#written[kept.turn] = undefined;
    kept.state = state;
    kept.place = Number.POSITIVE_INFINITY;
    kept.turn = this.#written.push(kept) - 1;
  }

  /** After a retryable rejection the record's later mutations wait, or they would be applied out of order. */
  hold(ref: RecordRef): void {
    this.#held.set(ref, true);
  }

  isHeld(ref: RecordRef): boolean {
    return this.#held.has(ref);
  }

  /** Everything this push decided, to be saved in its transaction. */
  changes(principal: string | null): SaveRequest {
    const { log } = this.#loaded;
    const { logId } = this.request;
    return {
      records: this.#written.flatMap((kept) => kept?.state ?? []),
      // A copy: an announced write is remembered after this, and saved when it is confirmed.
      ledger: [...this.#remembered],
      ...(logId === null
        ? {}
        : {
            log: {
              logId,
              principal: log ? log.principal : principal,
              floor: log?.floor ?? 0,
              lastTime: this.#lastTime,
            },
          }),
    };
  }
}
