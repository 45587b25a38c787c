/**
 * The port through which a sync server keeps its state: records with their versions, the feed, the ledger and the logs.
 * Every implementation passes `store.contract.ts` on its real engine.
 */
import type {
  ConflictKind,
  JsonObject,
  MutationLogEntry,
  RecordRef,
  RejectionCode,
  WriteStamp,
} from '@objectql/sync-types';

/** A record's state, without its place in the feed: what a transaction saves. */
export interface RecordState extends RecordRef {
  /** 1 at first create, one more at every applied write; never reset, not even by a delete. */
  readonly version: number;
  /** The version at which this incarnation was created. */
  readonly born: number;
  /** The write that created this incarnation. */
  readonly bornBy: WriteStamp;
  /** `null` when deleted. */
  readonly data: JsonObject | null;
  /** The write that deleted the record, `null` while it lives. */
  readonly deleted: WriteStamp | null;
  /** The writes that gave the fields their present values, by rising version; none when deleted. */
  readonly writes: readonly FieldsWrite[];
  /** The unbroken run of one log's writes up to `version`: a client that wrote alone needs no image of its writes. */
  readonly run: { readonly logId: string; readonly from: number };
  /** When the latest write was taken, epoch milliseconds by the server's clock. */
  readonly changedAt: number;
  /** The mutation behind the latest write; `null` when the server made it. */
  readonly origin: { readonly logId: string; readonly mutationId: string; readonly sequence: number } | null;
}

/** A write to which fields of a record owe their present values. */
export interface FieldsWrite {
  /** The version it made. */
  readonly version: number;
  readonly stamp: WriteStamp;
  /** The fields whose present values it wrote; `null` means all that no other write of the record names. */
  readonly fields: readonly string[] | null;
}

/** A record with its place in the feed. */
export interface StoredRecord extends RecordState {
  /** Its place in the feed: that of its latest change. Rises from 1 in commit order. */
  readonly place: number;
}

/**
 * A record as others are told of it. Its data is the stored JSON text: most of it is sent as it is, and only decisions
 * need the rest of the state.
 */
export interface FeedRecord extends Pick<StoredRecord, 'objectName' | 'recordId' | 'place' | 'version' | 'born'> {
  /** `null` when deleted. */
  readonly data: string | null;
  readonly changedAt: number;
  readonly origin: RecordState['origin'];
}

/** The only outcome a mutation ever has, as the ledger remembers it. */
export type LedgerOutcome =
  | { readonly status: 'applied'; readonly version: number; readonly droppedFields: readonly string[] }
  | { readonly status: 'conflict'; readonly kind: ConflictKind; readonly fields: readonly string[] }
  | { readonly status: 'rejected'; readonly code: RejectionCode; readonly reason: string };

/** A mutation's row in the ledger, unique by `mutationId`. */
export interface LedgerRow extends RecordRef {
  readonly mutationId: string;
  /** `null` for a protocol-1 client. `(logId, sequence)` is unique if there is a `logId`. */
  readonly logId: string | null;
  readonly sequence: number;
  /** A hash of what the mutation says, a safe integer, so that an id cannot be reused for other content. */
  readonly contentHash: number;
  readonly outcome: LedgerOutcome;
  /** Epoch milliseconds; retention counts from here. */
  readonly at: number;
}

/** What the server knows of one client's log. It is saved no later than the log's first ledger row. */
export interface LogRow {
  readonly logId: string;
  /**
   * The principal that used the log first; `null` if the server authenticates nobody. A later save does not change it.
   */
  readonly principal: string | null;
  /** At or below this sequence the ledger may have forgotten outcomes. A save never lowers it. */
  readonly floor: number;
  /** The latest time of a write of this log, epoch milliseconds; a log's times never go back. */
  readonly lastTime: number;
}

/** A write announced before a resolver makes it outside the transaction; a crash in between leaves it behind. */
export interface Intent extends RecordRef {
  readonly mutation: MutationLogEntry;
  /** What the record becomes when the write is confirmed. */
  readonly state: RecordState;
  readonly ledger: LedgerRow;
  /** The principal that asked for it; `null` if nobody is authenticated. */
  readonly principal: string | null;
  /** Epoch milliseconds. */
  readonly startedAt: number;
}

/** Facts of the whole store, read in the same snapshot as what they are returned with. */
export interface StoreFacts {
  /**
   * Random id of the stretch of the feed that is being written. A process begins a new one with its first write,
   * because the store it opened may be a copy: this feed then lacks places past the copy, and epochs begun after it.
   */
  readonly epoch: string;
  /** The last place that was taken; 0 in an empty store. */
  readonly head: number;
  /** The highest place of a dropped tombstone; 0 when there is none. */
  readonly floor: number;
  /** The highest version of a dropped tombstone: an unknown record starts above it, so versions never fall. */
  readonly versionFloor: number;
  /**
   * The last place of the requested epoch, which is the head while it goes on; absent if the epoch is not in this feed.
   */
  readonly reach?: number | undefined;
}

/** What a push must read before it can be decided. */
export interface LoadRequest {
  /** The epoch for which `facts.reach` is wanted. */
  readonly epoch?: string | undefined;
  readonly records: readonly RecordRef[];
  readonly mutationIds: readonly string[];
  /** The log whose row and whose ledger rows at `sequences` are wanted. */
  readonly log?: PlacesOfLog;
  /** The same for logs that the device has left, each once: few, and seldom any. */
  readonly formerLogs?: readonly PlacesOfLog[];
}

export interface PlacesOfLog {
  readonly logId: string;
  readonly sequences: readonly number[];
}

/** All logs of a request or its answer, beginning with the device's present one. */
export function logsIn<Log>({ log, formerLogs = [] }: LogsOf<Log>): readonly Log[] {
  return log ? [log, ...formerLogs] : formerLogs;
}

interface LogsOf<Log> {
  readonly log?: Log | undefined;
  readonly formerLogs?: readonly Log[];
}

/** What one push needs to know. Records, rows and intents that do not exist are simply left out. */
export interface Loaded {
  readonly facts: StoreFacts;
  readonly records: readonly StoredRecord[];
  /** Rows found by mutation id or by `(logId, sequence)`, each once. */
  readonly ledger: readonly LedgerRow[];
  readonly log: LogRow | undefined;
  /** In no particular order. */
  readonly formerLogs: readonly LogRow[];
  readonly intents: readonly Intent[];
}

/** What a push writes: all of it or nothing. */
export interface SaveRequest {
  /** Each record at most once; they take the next places of the feed in this order. */
  readonly records?: readonly RecordState[];
  /** New rows. One whose id or `(logId, sequence)` is taken fails the transaction. */
  readonly ledger?: readonly LedgerRow[];
  readonly log?: LogRow;
  /** Logs that the device has left and that the store does not know yet. */
  readonly formerLogs?: readonly LogRow[];
  /** A record has at most one intent: a second one fails the transaction. */
  readonly intents?: readonly Intent[];
  /** Records whose intent is settled; it is removed before `intents` are written. */
  readonly settledIntents?: readonly RecordRef[];
  /** Nothing else follows in this transaction: a store may commit it at once, which saves a round trip. */
  readonly isLast?: boolean;
}

/** The feed as the commit will leave it; `undefined` if no record was saved. */
export type Saved = Pick<StoreFacts, 'head' | 'epoch'> | undefined;

/**
 * One unit of work: all of it becomes durable at commit, or nothing does. A `load` or `save` that fails also fails the
 * transaction, even if `work` catches the error.
 */
export interface StoreTransaction {
  /**
   * The engine's own handle (a SQLite handle, a `pg` client), for resolvers that write in the same transaction. It
   * stops working when the transaction or savepoint in which it was taken ends.
   */
  readonly handle: unknown;
  /**
   * Reads what a push needs, locked against other writers until the transaction ends. Call it once, before `save`.
   * Takes a fixed number of round trips, however many records and ids are asked for.
   */
  load(request: LoadRequest): Promise<Loaded>;
  /**
   * Writes what a push decided; records, intents and logs must have been asked for in `load`. Takes a fixed number of
   * round trips, however much is written. If it saved records, it answers the feed's head and epoch: their places are
   * the last ones up to that head.
   */
  save(request: SaveRequest): Promise<Saved>;
  /** Runs `work`; if it throws, undoes what it did through `handle` and nothing else, and rethrows. One at a time. */
  savepoint<T>(work: () => Promise<T>): Promise<T>;
}

/** Which stretch of the feed to read. */
export interface PageQuery {
  /** Only records whose place is higher. */
  readonly after: number;
  /** At most this many records. */
  readonly limit: number;
  /** Only records of these objects; an empty list means none, and absent means all. */
  readonly objects?: readonly string[] | undefined;
  /** The epoch for which `facts.reach` is wanted. */
  readonly epoch?: string | undefined;
}

/** A stretch of the feed, and the feed's facts at the same moment. */
export interface Page {
  readonly facts: StoreFacts;
  /** In feed order, tombstones included. All places up to the last one returned are filled or never will be. */
  readonly records: readonly FeedRecord[];
  /** True where the store reads without a snapshot, and records may have moved behind `facts.head` while it read. */
  readonly isTorn?: boolean;
}

/** What one call of `prune` may drop. */
export interface PruneSlice {
  /** Tombstones and ledger rows older than this, epoch milliseconds, are dropped. */
  readonly before: number;
  /** At most this many of each, so that writers are never blocked for long. */
  readonly limit: number;
}

/** Keeps records, versions, feed and ledger. A store of your own passes `storeContract` of `@objectql/protocol-sync/testing`. */
export interface SyncStore extends AsyncDisposable {
  /**
   * True if other code that writes to the same database stops the whole process until an open transaction ends, as it
   * does on SQLite: a push then lets nobody have a turn in the middle of one. Default `false`.
   */
  readonly isBlocking?: boolean;
  /** Opens the store and brings its schema up to date. May be called again, and by several processes at once. */
  open(): Promise<void>;
  /**
   * Runs `work` in one transaction: commits when it resolves, rolls back and rethrows when it throws. Failures of
   * concurrency are retried inside, a bounded number of times, by running `work` again; then `StoreBusyError` is
   * thrown.
   */
  transaction<T>(work: (transaction: StoreTransaction) => Promise<T>): Promise<T>;
  /** One page of the feed, read in one snapshot. Costs what it returns, not what is stored. */
  page(query: PageQuery): Promise<Page>;
  /**
   * Drops one slice of what is older than the retention, the oldest first; answers how many rows it removed. If fewer
   * than `limit`, the rest is locked or being dropped elsewhere.
   */
  prune(slice: PruneSlice): Promise<{ readonly removed: number }>;
  /**
   * Gives the feed a new epoch that continues no other: every client walks the feed from its start. Call it after a
   * restore that the store cannot notice.
   */
  changeEpoch(): Promise<string>;
  /**
   * Calls `listener` with the feed's head after a commit that moved it, in this process or another; heads only rise.
   * Commits close together may be reported as one. Returns a function that stops it.
   */
  onCommit(listener: (head: number) => void): () => void;
  /** Waits for work under way and releases what the store itself opened; only `open` makes it usable again. */
  close(): Promise<void>;
}

/** The store could not take its turn in time: the same call is worth another try. */
export class StoreBusyError extends Error {
  override readonly name = 'StoreBusyError';
}
