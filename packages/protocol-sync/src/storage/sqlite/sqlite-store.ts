/** A store in one SQLite file, on a handle that the application opens. */
import { DurableObjectDatabase, type DurableObjectSql, sqliteDatabase } from '@objectql/sync-types';
import { type Platform, systemPlatform } from '../../platform/platform.js';
import { DURATION_KIND, hasMethods, type OptionKinds, refuseWrongOptions } from '../../refuse-wrong-options.js';
import { CommitListeners } from '../commit-listeners.js';
import { CommitLookout } from '../commit-lookout.js';
import { EpochWatch } from '../epoch-watch.js';
import { Mutex } from '../mutex.js';
import type { Int8 } from '../sql-rows.js';
import type { Page, PageQuery, PruneSlice, Saved, StoreTransaction, SyncStore } from '../sync-store.js';
import { runInScope } from '../transaction-scope.js';
import { DurableObjectConnection } from './durable-object-connection.js';
import { SqliteConnection } from './sqlite-connection.js';
import type { SqliteDatabase } from './sqlite-database.js';
import { readPage } from './sqlite-page.js';
import { pruneSqlite } from './sqlite-prune.js';
import { migrateSqlite } from './sqlite-schema.js';
import { readFacts, SqliteTransaction } from './sqlite-transaction.js';

/** How long to wait for another process's write. */
export interface SqliteStoreOptions {
  /** Milliseconds to wait for another process's write before `StoreBusyError`. Default 5,000. */
  readonly busyTimeoutMs?: number | undefined;
  /** Ids and timers, for tests. Default: the system's. */
  readonly platform?: Pick<Platform, 'randomId' | 'setTimer'> | undefined;
}

const OPTIONS: OptionKinds<SqliteStoreOptions> = { busyTimeoutMs: DURATION_KIND, platform: true };
/** 5 s: longer than any push without a hanging resolver, and well within the client's 30 s. */
const BUSY_TIMEOUT_MS = 5000;
/** 250 ms: how late another process's commit may be noticed. Looking costs microseconds. */
const LOOK_MS = 250;

/**
 * Keeps a sync server's state in a SQLite file: `new SqliteStore(new Database('sync.db'))`, with better-sqlite3, libsql,
 * `node:sqlite` or `bun:sqlite`. Several processes may use one file on one machine.
 *
 * A commit is on the disk before it is answered (WAL, `synchronous = FULL`): it survives a killed process, and a power
 * cut where the disk keeps what it was told to flush. `synchronous = NORMAL`, set on the handle after `open()`, is faster
 * and still survives a killed process, but a power cut may then take the last answered pushes with it, which the clients
 * have already settled and will not send again.
 *
 * In a Durable Object it takes `ctx.storage`, whose writes are safe before an answer leaves the object.
 *
 * The handle stays the application's, which closes it after the store. While the store is open it is the store's to use:
 * what others write through it during a push becomes part of that push. Open a second handle for work of your own.
 */
export class SqliteStore implements SyncStore {
  readonly isBlocking = true;
  readonly #connection: SqliteConnection;
  readonly #platform: Pick<Platform, 'randomId' | 'setTimer'>;
  /**
   * A connection has one transaction: everything on it runs in turn, so that no page reads what may be rolled back.
   */
  readonly #mutex = new Mutex();
  readonly #listeners = new CommitListeners();
  /** A new one for each opening, because the reopened file may be another one. */
  #epochs: EpochWatch;
  /** Changes when another connection commits. */
  #dataVersion: Int8 | undefined;
  readonly #lookout: CommitLookout;
  #isOpen = false;

  /** Throws `TypeError` for an unknown option or a value that is not a handle. */
  constructor(given: SqliteDatabase | DurableObjectSql, options: SqliteStoreOptions = {}) {
    refuseWrongOptions(options, OPTIONS, 'SqliteStore: ');
    const database = sqliteDatabase(given);
    if (!hasMethods(database, ['exec', 'prepare'])) {
      throw new TypeError("SqliteStore: database must be an open handle, e.g. new Database('sync.db').");
    }
    const { busyTimeoutMs: timeoutMs = BUSY_TIMEOUT_MS, platform = systemPlatform } = options;
    const pause = (delayMs: number) => new Promise<void>((resolve) => void platform.setTimer(resolve, delayMs));
    this.#platform = platform;
    this.#epochs = new EpochWatch(platform);
    this.#connection =
      database instanceof DurableObjectDatabase
        ? new DurableObjectConnection(database)
        : new SqliteConnection(database, { timeoutMs, pause });
    this.#lookout = new CommitLookout({
      platform,
      pauseMs: LOOK_MS,
      isWanted: () => this.#isOpen && !this.#listeners.isEmpty,
      look: () => this.#inTurn(async () => this.#look()),
    });
  }

  async open(): Promise<void> {
    await this.#mutex.run(async () => {
      await this.#connection.configure();
      if (!this.#isOpen) this.#epochs = new EpochWatch(this.#platform);
      const beginEpoch = () => this.#epochs.begin();
      await this.#connection.transaction(async () => migrateSqlite(this.#connection.database, beginEpoch));
      const facts = readFacts(this.#connection);
      this.#epochs.met(facts);
      this.#listeners.startAt(facts.head);
      this.#isOpen = true;
    });
    this.#lookout.keepLooking();
  }

  transaction<T>(work: (transaction: StoreTransaction) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      let saved: Saved;
      const result = await this.#connection.transaction(async () => {
        const raw = new SqliteTransaction(this.#connection, this.#epochs);
        const done = await runInScope(raw, work);
        saved = raw.saved;
        return done;
      });
      if (saved) this.#tell(saved);
      return result;
    });
  }

  page(query: PageQuery): Promise<Page> {
    return this.#inTurn(() =>
      this.#connection.snapshot(() => {
        const facts = readFacts(this.#connection, query.epoch);
        this.#epochs.met(facts);
        return { facts, records: readPage(this.#connection, query) };
      }),
    );
  }

  prune(slice: PruneSlice): Promise<{ readonly removed: number }> {
    return this.#inTurn(() =>
      this.#connection.transaction(async () => ({ removed: pruneSqlite(this.#connection, slice) })),
    );
  }

  changeEpoch(): Promise<string> {
    return this.#inTurn(() =>
      this.#connection.transaction(async () => {
        const epoch = this.#epochs.begin();
        this.#connection.run('DELETE FROM objectql_sync_epochs');
        this.#connection.run('UPDATE objectql_sync_feed SET epoch = ?', epoch);
        return epoch;
      }),
    );
  }

  onCommit(listener: (head: number) => void): () => void {
    const stop = this.#listeners.add(listener);
    this.#lookout.keepLooking();
    return stop;
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    this.#lookout.stop();
    await this.#mutex.run(async () => this.#connection.release());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #tell(saved: NonNullable<Saved>): void {
    if (this.#epochs.met(saved)) this.#listeners.startOver();
    this.#listeners.announce(saved.head);
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#isOpen) throw new Error('The store is not open. Call open() first.');
    return this.#mutex.run(work);
  }

  /** SQLite reports another process's commit only when asked. */
  async #look(): Promise<void> {
    const row = this.#connection.get<{ data_version: Int8 }>('PRAGMA data_version');
    if (row?.data_version === this.#dataVersion) return;
    this.#dataVersion = row?.data_version;
    this.#listeners.announce((await this.#listeners.look(() => readFacts(this.#connection))).head);
  }
}
