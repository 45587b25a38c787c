/**
 * Keeps sync's state in ObjectStack's data engine: in the application's own database, and in the same transactions as
 * its records, whoever writes them.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type RecordRef, recordKey } from '@objectql/sync-types';
import {
  AS_SYSTEM,
  beforeCommit,
  commitTransaction,
  type DataEngine,
  executionOf,
  holdCommit,
  probeOrganizations,
  shares,
  UnderWay,
} from '@objectql/sync-types/kernel';
import { inTime } from '../platform/in-time.js';
import { type Platform, systemPlatform } from '../platform/platform.js';
import { CommitListeners } from '../storage/commit-listeners.js';
import { CommitLookout } from '../storage/commit-lookout.js';
import { EpochWatch } from '../storage/epoch-watch.js';
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
import { isContention } from './engine-contention.js';
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

/** A transaction of the engine in which synced objects are written. */
interface Written {
  readonly raw: EngineTransaction;
  /** What was written in it: it is versioned just before the commit. */
  readonly refs: Map<string, RecordRef>;
  /** Resolves once this transaction holds the feed. */
  readonly locked: Promise<void>;
}

/** Code that runs in such a transaction. What it has started and does not await may go on after its end. */
interface Scope {
  readonly written: Written;
  isOver: boolean;
}

/** 5 tries: when writers take turns, one may lose a few times. */
const MAX_TRIES = 5;
/** 500 records, each read twice: 256 MB if all are as large as may be. */
const VERSIONED_TOGETHER = 500;
/** 5: if a commit comes into each of these readings, its records are left for the next page. */
const MAX_PAGE_READS = 5;

/** 1 s: how late another process's commit may be noticed. */
export const LOOK_MS = 1000;
/** 30 s: a look that is not answered, as on a silent connection, is given up for the next one. */
export const LOOK_PATIENCE_MS = 30_000;

/**
 * What the running code is a part of, by store. One for all stores: before Node 24 every promise of the process
 * carries each such storage along, also those of stores that are closed.
 */
const scopes = new AsyncLocalStorage<ReadonlyMap<EngineStore, Scope>>();

export class EngineStore implements SyncStore {
  readonly #engine: DataEngine;
  readonly #platform: Platform;
  readonly #bringUpToDate: BringUpToDate;
  readonly #listeners = new CommitListeners();
  readonly #turns: Turns;
  #epochs: EpochWatch;
  readonly #underWay = new UnderWay();
  readonly #byTransaction = new WeakMap<object, Written>();
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

  /** Names a record that the engine wrote in the transaction under way: its version and feed entry commit with it. */
  touch(ref: RecordRef): void {
    this.#scope?.written.refs.set(recordKey(ref), ref);
  }

  /** Whether `touch` has named the record in the transaction under way. */
  hasTouched(ref: RecordRef): boolean {
    return this.#scope?.written.refs.has(recordKey(ref)) === true;
  }

  /**
   * Runs `work`, which writes through the engine and names what it wrote, in one transaction with the feed's entries.
   * Joins the transaction of the running code, or the `given` one, and is then committed or rolled back with it. Never
   * runs `work` twice: a write on its way through the engine cannot be begun again. Still works after `close`: the
   * engine goes on writing, and its writes must not be missing in the feed.
   */
  async around<T>(work: () => Promise<T>, given?: unknown): Promise<T> {
    // A write inside a followed one: a hook's, a cascade's, or sync's own.
    const outer = this.#scope;
    if (outer?.isOver === false) return holdCommit(outer.written.raw.context.transaction, work());
    return this.#counted(() => (given === undefined ? this.#inTransaction(work) : this.#inJoined(given, work)));
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

  get #scope(): Scope | undefined {
    return scopes.getStore()?.get(this);
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
    return this.#scope?.isOver === false ? run() : this.#turns.take(run);
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
    let own: Written | undefined;
    const done = await commitTransaction(this.#engine, ({ transaction, owned }) => {
      tellOwned(owned);
      if (!owned) return this.#inJoined(transaction, work);
      own = this.#enter(transaction, 'new');
      return this.#workIn(own, work);
    });
    if (own?.raw.saved) this.#outside((saved) => this.#tell(saved), own.raw.saved);
    return done;
  }

  /** Runs `work` in somebody else's transaction. Nobody reports how that ends, so it is looked up afterwards. */
  #inJoined<T>(transaction: unknown, work: Work<T>): Promise<T> {
    return holdCommit(transaction, this.#workIn(this.#enter(transaction, 'joined'), work));
  }

  /** Takes the feed for the transaction, and versions before its commit what is written in it. */
  #enter(transaction: unknown, kind: 'new' | 'joined'): Written {
    const key = Object(transaction);
    const known = this.#byTransaction.get(key);
    if (known) return known;
    const raw = new EngineTransaction(this.#engine, transaction, this.#epochs);
    // Before any write or read: a writer that holds a record's row and waits for the feed would wait for a push that
    // holds the feed and waits for the row. And what was read before the wait may be outdated after it.
    const locked = raw.lock(kind);
    const written = { raw, refs: new Map<string, RecordRef>(), locked };
    this.#byTransaction.set(key, written);
    locked.catch(() => this.#byTransaction.delete(key));
    // Bound: hooks of sync's own records write in this transaction too.
    const version = AsyncLocalStorage.bind(() => this.#version(written, kind));
    beforeCommit(transaction, version);
    if (kind === 'joined') {
      // Also without listeners: an epoch counts as this process's own only once its commit is seen.
      const look = () => raw.saved && this.#lookout.lookNow();
      void executionOf(transaction)?.then(look, () => {});
    }
    return written;
  }

  async #workIn<T>(written: Written, work: Work<T>): Promise<T> {
    await written.locked;
    return this.#inside(written, () => work(written.raw));
  }

  /** Versions what was written, and what is written meanwhile. */
  async #version({ raw, refs, locked }: Written, kind: 'new' | 'joined'): Promise<void> {
    // A rollback to a savepoint before the first write has let go of the feed.
    if (kind === 'joined' && refs.size > 0) await raw.lock(kind);
    while (refs.size > 0) {
      const written = [...refs.values()];
      refs.clear();
      // Of what hooks write for sync's own records nothing is versioned: its versions would call them again, for ever.
      const apart = { raw, refs: new Map<string, RecordRef>(), locked };
      for (const share of shares(written, VERSIONED_TOGETHER)) {
        await this.#inside(apart, () => this.#bringUpToDate(share, raw));
      }
    }
  }

  /** A write within `work` is a part of the transaction, also if `work` does not await it. */
  async #inside<T>(written: Written, work: () => Promise<T>): Promise<T> {
    const scope = { written, isOver: false };
    try {
      return await scopes.run(new Map(scopes.getStore()).set(this, scope), work);
    } finally {
      scope.isOver = true;
    }
  }

  #tell(saved: NonNullable<Saved>): void {
    if (this.#epochs.met(saved)) this.#listeners.startOver();
    this.#listeners.announce(saved.head);
  }

  /** The engine does not report commits of other processes. */
  async #look(): Promise<void> {
    if (!this.#isOpen) return;
    const bound = { timeoutMs: LOOK_PATIENCE_MS, platform: this.#platform };
    const giveUp = () => new StoreBusyError('The database has not answered.');
    const read = () => inTime(readFacts(this.#engine, AS_SYSTEM), bound, giveUp);
    this.#tell(await this.#listeners.look(read));
  }
}
