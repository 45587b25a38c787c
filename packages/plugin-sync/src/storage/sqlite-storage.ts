/** A storage in a SQLite database, over whatever driver the app already has. */
import type { RecordRef } from '@objectql/sync-types';
import { canBeAskedAgain } from './can-be-asked-again.js';
import { checkExpected } from './check-expected.js';
import {
  type BaseRecord,
  CheckpointMovedError,
  type ClientMeta,
  type ClientState,
  type ClientStorage,
  RevisionMovedError,
  type StorageBatch,
} from './client-storage.js';
import { inTransaction, type SqliteDatabase, sqliteError } from './sqlite-database.js';
import { emptyLog, openSchema, refuseNewer, withoutSync } from './sqlite-schema.js';
import { keyOf, prepareStatements, readJson, type SqliteStatements, writeBatch } from './sqlite-statements.js';
import { inOrder } from './state-order.js';
import { closedError, StorageError } from './storage-error.js';

/**
 * Keeps a client's state in tables named `sync_client…`. A batch is one transaction, on the disk when `commit` resolves, unless the
 * server can tell all of it again.
 *
 * The database is the caller's: its connection is switched to WAL and full synchronisation, no transaction may be open
 * on it while a batch is committed, and `close` leaves it open. A file that is deleted or replaced meanwhile is not noticed, as
 * SQLite goes on with what was deleted.
 *
 * ```text
 * import Database from 'better-sqlite3';
 * const storage = new SqliteStorage(new Database('sync.db'));
 * ```
 */
export class SqliteStorage implements ClientStorage {
  readonly #database: SqliteDatabase;
  #statements: SqliteStatements | undefined;
  /** Set when a commit failed, as it may have been in the sync of the write-ahead log. */
  #isLogTorn = false;
  #isClosed = false;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  async load(): Promise<ClientState> {
    return this.#transaction('BEGIN', (sql) =>
      inOrder({
        meta: readJson(sql.meta.get()),
        entries: sql.entries.all().map((row) => readJson(row)),
        conflicts: sql.conflicts.all().map((row) => readJson(row)),
        deadLetters: sql.deadLetters.all().map((row) => readJson(row)),
      }),
    );
  }

  async commit(batch: StorageBatch): Promise<void> {
    const metaOf = (sql: SqliteStatements) => readJson<ClientMeta | null>(sql.meta.get());
    const write = () =>
      this.#transaction('BEGIN IMMEDIATE', (sql) => {
        checkExpected(batch, metaOf(sql));
        writeBatch(sql, batch);
      });
    // Looked at before, as a transaction cannot change how it is synced.
    const isLeftToSystem = this.#transaction('BEGIN', (sql) => canBeAskedAgain(batch, metaOf(sql)));
    if (this.#isLogTorn) this.#run(() => emptyLog(this.#database));
    this.#isLogTorn = false;
    try {
      if (isLeftToSystem) withoutSync(this.#database, write);
      else write();
    } catch (error) {
      this.#isLogTorn = error instanceof StorageError && error.code === 'FAILED';
      throw error;
    }
  }

  async getRecords(refs: readonly RecordRef[]): Promise<readonly (BaseRecord | undefined)[]> {
    return this.#transaction('BEGIN', (sql) =>
      refs.map((ref) => {
        const row = sql.record.get(...keyOf(ref));
        return row ? readJson<BaseRecord>(row) : undefined;
      }),
    );
  }

  async listRecords(objectName: string): Promise<readonly BaseRecord[]> {
    return this.#transaction('BEGIN', (sql) => sql.recordsOf.all(objectName).map((row) => readJson<BaseRecord>(row)));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#statements = undefined;
  }

  /** Runs all of `work` in one turn of the event loop, so that nothing else of this process gets in between. */
  #transaction<T>(begin: 'BEGIN' | 'BEGIN IMMEDIATE', work: (sql: SqliteStatements) => T): T {
    if (this.#isClosed) throw closedError('This SqliteStorage');
    return this.#run(() => {
      this.#statements ??= this.#prepare();
      const sql = this.#statements;
      return inTransaction(this.#database, begin, () => {
        refuseNewer(sql.version.get());
        return work(sql);
      });
    });
  }

  /** Runs `work`; an error of the driver becomes a `StorageError`. */
  #run<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw [StorageError, CheckpointMovedError, RevisionMovedError].some((known) => error instanceof known)
        ? error
        : sqliteError(error);
    }
  }

  #prepare(): SqliteStatements {
    openSchema(this.#database);
    return prepareStatements(this.#database);
  }
}
