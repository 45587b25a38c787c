/**
 * Keeps sync's state in ObjectStack's data engine: in the application's own database, and in the same transactions as
 * its records, whoever writes them.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type RecordRef, recordKey } from '@objectql/sync-types';
import {
  AS_SYSTEM,
  commitTransaction,
  type DataEngine,
  executionOf,
  holdCommit,
  probeOrganizations,
  UnderWay,
} from '@objectql/sync-types/kernel';
import { inTime } from '../platform/in-time.js';
import { type Platform, systemPlatform } from '../platform/platform.js';
import { CommitListeners } from '../storage/commit-listeners.js';
import { CommitLookout } from '../storage/commit-lookout.js';
import { EpochWatch } from '../storage/epoch-watch.js';
import { Mutex } from '../storage/mutex.js';
import { NewerSchemaError } from '../storage/schema-version.js';
import {
  type Page,
  type PageQuery,
  type PruneSlice,
  type Saved,
  StoreBusyError,
  type StoreTransaction,
  type SyncStore,
} from '../storage/sync-store.js';
import { runInScope } from '../storage/transaction-scope.js';
import { isAborted, isContention } from './engine-contention.js';
import { findOrMakeFeedRow, readFacts } from './engine-facts.js';
import { makeEngineTables, RECORDS, SCHEMA_VERSION } from './engine-objects.js';
import { digits, toFeedRecord } from './engine-rows.js';
import { EngineTransaction } from './engine-transaction.js';
import { Turns } from './turns.js';

/** Reads and versions what was written, in the transaction that wrote it. */
export type BringUpToDate = (refs: readonly RecordRef[], raw: EngineTransaction) => Promise<void>;

type Work<T> = (raw: EngineTransaction) => Promise<T>;

export interface EngineStoreOptions {
  /** Called before a commit with the records that `touch` named in the transaction. */
  readonly bringUpToDate?: BringUpToDate;
  readonly platform?: Platform | undefined;
}

/** What was written in the transaction under way, until it is versioned. */
interface Touched {
  readonly refs: Map<string, RecordRef>;
  /** The writes that are made within, of which a hook may have begun some that it does not await. */
  readonly underWay: UnderWay;
  /** Code that a hook has started and nobody awaits may go on after that. */
  isOver: boolean;
}

/** 5 tries: when writers take turns, one may lose a few times. */
const MAX_TRIES = 5;
/** 5: if a commit comes into each of these readings, its records are left for the next page. */
const MAX_PAGE_READS = 5;

/** 1 s: how late another process's commit may be noticed. */
export const LOOK_MS = 1000;
/** 30 s: a look that is not answered, as on a silent connection, is given up for the next one. */
export const LOOK_PATIENCE_MS = 30_000;

/**
 * What is written in the transactions that the running code is in, by store. One for all stores: before Node 24 every
 * promise of the process carries each such storage along, also those of stores that are closed.
 */
const touchedNow = new AsyncLocalStorage<ReadonlyMap<EngineStore, Touched>>();

export class EngineStore implements SyncStore {
  readonly #engine: DataEngine;
  readonly #platform: Platform;
  readonly #bringUpToDate: BringUpToDate;
  readonly #listeners = new CommitListeners();
  readonly #turns: Turns;
  #epochs: EpochWatch;
  readonly #underWay = new UnderWay();
  /** By transaction. */
  readonly #versioning = new WeakMap<object, Mutex>();
  /** Runs code that must not see the transaction of its caller. */
  readonly #outside = AsyncLocalStorage.snapshot();
  readonly #lookout: CommitLookout;
  #isOpen = false;

  constructor(engine: DataEngine, options: EngineStoreOptions = {}) {
    this.#engine = engine;
    this.#platform = options.platform ?? systemPlatform;
    this.#epochs = new EpochWatch(this.#platform);
    this.#turns = new Turns(this.#platform);
    this.#bringUpToDate = options.bringUpToDate ?? (async () => {});
    this.#lookout = new CommitLookout({
      platform: { setTimer: (work, delayMs) => this.#platform.setTimer(() => this.#outside(work), delayMs) },
      pauseMs: LOOK_MS,
      isWanted: () => this.#isOpen && !this.#listeners.isEmpty,
      look: () => this.#look(),
    });
  }

  async open(): Promise<void> {
    await makeEngineTables(this.#engine);
    await probeOrganizations(this.#engine);
    if (!this.#isOpen) this.#epochs = new EpochWatch(this.#platform);
    const row = await findOrMakeFeedRow(this.#engine, () => this.#epochs.begin());
    const version = Number(row.schema_version);
    if (version > SCHEMA_VERSION) throw new NewerSchemaError(version, SCHEMA_VERSION);
    this.#listeners.startAt(Number(row.head));
    this.#isOpen = true;
    this.#lookout.keepLooking();
  }

  async transaction<T>(work: (transaction: StoreTransaction) => Promise<T>): Promise<T> {
    return this.#whileOpen(() => this.#inTurn((raw) => runInScope(raw, work)));
  }

  /** True while the running code is inside one of this store's transactions. */
  get isInTransaction(): boolean {
    return this.#touched?.isOver === false;
  }

  /** Names a record that the engine wrote in the transaction under way: its version and feed entry commit with it. */
  touch(ref: RecordRef): void {
    this.#touched?.refs.set(recordKey(ref), ref);
  }

  /** Whether `touch` has named the record in the transaction under way. */
  hasTouched(ref: RecordRef): boolean {
    return this.#touched?.refs.has(recordKey(ref)) === true;
  }

  /**
   * Runs `work`, which writes through the engine and names what it wrote, in one transaction with the feed's entries.
   * Joins the transaction of the running code, or the `given` one, and is then committed or rolled back with it. Never
   * runs `work` twice: a write on its way through the engine cannot be begun again. Still works after `close`: the
   * engine goes on writing, and its writes must not be missing in the feed.
   */
  async around<T>(work: () => Promise<T>, given?: unknown): Promise<T> {
    return this.#counted(() => (given === undefined ? this.#inTransaction(work) : this.#inJoined(given, work)));
  }

  /** Runs `work`, a write within the one under way, which is versioned only behind it. */
  async within<T>(work: () => Promise<T>): Promise<T> {
    return this.#touched?.underWay.add(work()) ?? work();
  }

  async page(query: PageQuery): Promise<Page> {
    return this.#outside(() =>
      this.#whileOpen(async () => {
        // The engine's drivers offer no snapshot, so a page is read again if a commit came into it.
        for (let left = MAX_PAGE_READS; ; left--) {
          const { head } = await readFacts(this.#engine, AS_SYSTEM);
          const records = await this.#readPage(query, head);
          // Read again: the rows lack a tombstone that was dropped meanwhile, and the floor must say so.
          const facts = await readFacts(this.#engine, AS_SYSTEM, query.epoch);
          this.#epochs.met(facts);
          if (facts.head === head) return { facts, records };
          if (left === 1) return { facts: { ...facts, head }, records, isTorn: true };
        }
      }),
    );
  }

  async prune(slice: PruneSlice): Promise<{ readonly removed: number }> {
    return this.#whileOpen(async () => ({ removed: await this.#inTurn((raw) => raw.prune(slice)) }));
  }

  async changeEpoch(): Promise<string> {
    return this.#whileOpen(() => this.#inTurn((raw) => raw.changeEpoch()));
  }

  onCommit(listener: (head: number) => void): () => void {
    const stop = this.#listeners.add(listener);
    this.#lookout.keepLooking();
    return stop;
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    this.#lookout.stop();
    await this.#underWay.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #touched(): Touched | undefined {
    return touchedNow.getStore()?.get(this);
  }

  /** A record that changes during the read moves to a new place, behind this head. */
  async #readPage({ after, limit, objects }: PageQuery, head: number): Promise<Page['records']> {
    if (objects?.length === 0) return [];
    const where = {
      place: { $gt: digits(after), $lte: digits(head) },
      ...(objects ? { object_name: { $in: objects } } : {}),
    };
    const query = { where, orderBy: [{ field: 'place', order: 'asc' } as const], limit };
    return (await this.#engine.find(RECORDS, query, { context: AS_SYSTEM })).map(toFeedRecord);
  }

  async #whileOpen<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#isOpen) throw new Error('The store is not open. Call open() first.');
    return this.#counted(work);
  }

  async #counted<T>(work: () => Promise<T>): Promise<T> {
    return this.#underWay.add(work());
  }

  /**
   * Waiting for the feed in the database holds a connection of the application's pool: if a few more devices than the
   * pool has connections waited behind one slow writer, nobody else would get one. Code in a transaction that has the
   * feed does not wait.
   */
  #inTurn<T>(work: Work<T>): Promise<T> {
    const run = () => this.#withRetries(work);
    return this.isInTransaction ? run() : this.#turns.take(run);
  }

  /** Runs `work` in a transaction of the engine; again when it lost a race, unless it joined another's transaction. */
  async #withRetries<T>(work: Work<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      let isOwned = true;
      try {
        return await this.#inTransaction(work, (owned) => {
          isOwned = owned;
        });
      } catch (error) {
        if (!isOwned || !isContention(error)) throw error;
        if (tries === MAX_TRIES) throw new StoreBusyError('Other transactions kept winning.', { cause: error });
      }
    }
  }

  /** Runs `work` in one transaction of the engine: a new one, or that of the running code. */
  async #inTransaction<T>(work: Work<T>, tellOwned: (isOwned: boolean) => void = () => {}): Promise<T> {
    let own: EngineTransaction | undefined;
    const done = await commitTransaction(this.#engine, ({ transaction, owned }) => {
      tellOwned(owned);
      if (!owned) return this.#inJoined(transaction, work);
      own = this.#transactionOn(transaction);
      return this.#workIn(own, work, 'new');
    });
    if (own?.saved) this.#outside((saved) => this.#tell(saved), own.saved);
    return done;
  }

  /** Runs `work` in somebody else's transaction. Nobody reports how that ends, so it is looked up afterwards. */
  #inJoined<T>(transaction: unknown, work: Work<T>): Promise<T> {
    const joined = this.#transactionOn(transaction);
    // Also without listeners: an epoch counts as this process's own only once its commit is seen.
    const look = () => joined.saved && this.#lookout.lookNow();
    void executionOf(transaction)?.then(look, () => {});
    return holdCommit(transaction, this.#workIn(joined, work, 'joined'));
  }

  /** Runs `work`, and versions what it touched. */
  async #workIn<T>(raw: EngineTransaction, work: Work<T>, kind: 'new' | 'joined'): Promise<T> {
    const touched = newlyTouched();
    // Before any write or read: a writer that holds a record's row and waits for the feed would wait for a push that
    // holds the feed and waits for the row. And what was read before the wait may be outdated after it.
    await raw.lock(kind);
    const bringUpToDate = async () => {
      if (touched.refs.size === 0) return;
      // Of what hooks write for sync's own records nothing is versioned: its versions would call them again, for ever.
      const version = () => this.#inside(newlyTouched(), () => this.#bringUpToDate([...touched.refs.values()], raw));
      await this.#versioningIn(raw)
        .run(version)
        .catch((error: unknown) => {
          // The owner may catch this and commit: the records would be written, and missing in the feed.
          if (kind === 'joined' && !isAborted(error)) raw.refuseCommit(error);
          throw error;
        });
    };
    return this.#inside(touched, async () => {
      const done = await this.#workToTheEnd(touched, () => work(raw)).catch(async (error: unknown) => {
        // The owner of the transaction may go on without this write, and commit what its hooks had written.
        if (kind === 'joined') await bringUpToDate().catch(() => {});
        throw error;
      });
      await bringUpToDate();
      return done;
    });
  }

  #inside<T>(touched: Touched, work: () => Promise<T>): Promise<T> {
    return touchedNow.run(new Map(touchedNow.getStore()).set(this, touched), work);
  }

  /** Writes that an application makes at the same time in one transaction are versioned one after another. */
  #versioningIn({ context }: EngineTransaction): Mutex {
    const transaction = Object(context.transaction);
    const mutex = this.#versioning.get(transaction) ?? new Mutex();
    this.#versioning.set(transaction, mutex);
    return mutex;
  }

  async #workToTheEnd<T>(touched: Touched, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      await touched.underWay.ended();
      touched.isOver = true;
    }
  }

  #tell(saved: NonNullable<Saved>): void {
    if (this.#epochs.met(saved)) this.#listeners.startOver();
    this.#listeners.announce(saved.head);
  }

  #transactionOn(transaction: unknown): EngineTransaction {
    return new EngineTransaction(this.#engine, transaction, this.#epochs);
  }

  /** The engine does not report commits of other processes. */
  async #look(): Promise<void> {
    if (!this.#isOpen) return;
    const bound = { timeoutMs: LOOK_PATIENCE_MS, platform: this.#platform };
    const giveUp = () => new StoreBusyError('The database has not answered.');
    this.#tell(await inTime(readFacts(this.#engine, AS_SYSTEM), bound, giveUp));
  }
}

function newlyTouched(): Touched {
  return { refs: new Map(), underWay: new UnderWay(), isOver: false };
}
