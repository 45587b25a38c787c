/** A storage in a SQLite database, with whatever driver the app already has. */
import { type DurableObjectSql, type RecordRef, sqliteDatabase } from '@objectql/sync-types';
import { checkExpected } from './check-expected.js';
import {
  type BaseRecord,
  type ClientMeta,
  type ClientState,
  type ClientStorage,
  MovedError,
  type StorageBatch,
} from './client-storage.js';
import { inTransaction, type SqliteDatabase, sqliteError } from './sqlite-database.js';
import { openSchema, refuseNewer } from './sqlite-schema.js';
import { keyOf, prepareStatements, readJson, type SqliteStatements, writeBatch } from './sqlite-statements.js';
import { inOrder } from './state-order.js';
import { closedError, StorageError } from './storage-error.js';

/**
 * Keeps a client's state in tables named `sync_client…`. A batch is one transaction, on the disk when `commit` resolves.
 *
 * The database is the caller's: its connection is switched to WAL and full synchronisation, no transaction may be open
 * on it while a batch is committed, and `close` leaves it open. A file that is deleted or replaced meanwhile is not noticed, as
 * SQLite goes on with what was deleted.
 *
 * In a Durable Object it takes `ctx.storage`, whose writes are safe before anything leaves the object.
 *
 * ```text
 * import Database from 'better-sqlite3';
 * const storage = new SqliteStorage(new Database('sync.db'));
 * ```
 */
export class SqliteStorage implements ClientStorage {
  readonly #database: SqliteDatabase;
  #statements: SqliteStatements | undefined;
  #isClosed = false;

  constructor(database: SqliteDatabase | DurableObjectSql) {
    this.#database = sqliteDatabase(database);
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
    this.#transaction('BEGIN IMMEDIATE', (sql) => {
      checkExpected(batch, readJson<ClientMeta | null>(sql.meta.get()));
      writeBatch(sql, batch);
    });
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
    try {
      this.#statements ??= this.#prepare();
      const sql = this.#statements;
      return inTransaction(this.#database, begin, () => {
        refuseNewer(sql.version.get());
        return work(sql);
      });
    } catch (error) {
      throw error instanceof StorageError || error instanceof MovedError ? error : sqliteError(error);
    }
  }

  #prepare(): SqliteStatements {
    openSchema(this.#database);
    return prepareStatements(this.#database);
  }
}
