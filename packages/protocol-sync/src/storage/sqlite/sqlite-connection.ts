/** One SQLite connection with its prepared statements and its transactions. */

import { StoreBusyError } from '../sync-store.js';
import type { SavepointVerb } from '../transaction-scope.js';
import { isSqliteBusy, type SqliteDatabase, type SqliteStatement } from './sqlite-database.js';

/** How a connection waits for another one's write to end. */
export interface SqliteWaiting {
  /** Milliseconds in total before `StoreBusyError`. */
  readonly timeoutMs: number;
  readonly pause: (delayMs: number) => Promise<void>;
}

/**
 * 20 ms: SQLite blocks the whole process while it waits, so it should only bridge another process's short write. For
 * longer waits we pause ourselves, and other requests go on.
 */
const BLOCKING_WAIT_MS = 20;
/** 100 ms: the longest pause between two tries, so that a free lock is not missed for long. */
const MAX_PAUSE_MS = 100;

const PROBE = 'SAVEPOINT objectql_probe';

export class SqliteConnection {
  /** The application's handle. */
  readonly database: SqliteDatabase;
  readonly #waiting: SqliteWaiting;
  readonly #statementBySql = new Map<string, SqliteStatement>();

  constructor(database: SqliteDatabase, waiting: SqliteWaiting) {
    this.database = database;
    this.#waiting = waiting;
  }

  /** Sets the connection up; changes nothing if the file is set up already. */
  async configure(): Promise<void> {
    this.exec(`PRAGMA busy_timeout = ${BLOCKING_WAIT_MS}`);
    // A file can be switched to WAL only while nobody else uses it.
    await this.#whenFree(() => this.exec('PRAGMA journal_mode = WAL'));
    this.exec('PRAGMA synchronous = FULL');
  }

  /** Runs `work` in a transaction that holds the write lock from its start, so that nothing it has read can change. */
  async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.#whenFree(() => this.exec('BEGIN IMMEDIATE'));
    try {
      this.exec(PROBE);
      const result = await work();
      this.exec('COMMIT');
      return result;
    } catch (error) {
      this.#rollBack();
      throw isSqliteBusy(error) ? this.#busy(error) : error;
    }
  }

  /** Executes it in the open transaction, for the savepoint of this name. */
  async command(verb: SavepointVerb, name: string): Promise<void> {
    this.exec(`${verb} ${name}`);
  }

  /**
   * When the disk is full, SQLite may roll back by itself. Later writes would then commit statement by statement, so a
   * savepoint at the transaction's start proves that it is still the same one.
   */
  refuseLost(): void {
    this.exec('RELEASE SAVEPOINT objectql_probe');
    this.exec(PROBE);
  }

  /** Runs `work` in one snapshot of the committed state. */
  async snapshot<T>(work: () => T): Promise<T> {
    return this.#whenFree(() => {
      this.run('BEGIN');
      try {
        return work();
      } finally {
        this.#rollBack();
      }
    });
  }

  exec(sql: string): void {
    this.database.exec(sql);
  }

  run(sql: string, ...parameters: readonly unknown[]): void {
    this.#prepare(sql).run(...parameters);
  }

  /** All rows of a statement; `Row` is the caller's claim of what the statement selects. */
  all<Row>(sql: string, ...parameters: readonly unknown[]): readonly Row[] {
    return this.#prepare(sql).all(...parameters) as Row[];
  }

  /** The first row of a statement; `Row` is the caller's claim of what the statement selects. */
  get<Row>(sql: string, ...parameters: readonly unknown[]): Row | undefined {
    return (this.#prepare(sql).get(...parameters) ?? undefined) as Row | undefined;
  }

  /** Releases the prepared statements. */
  release(): void {
    this.#statementBySql.clear();
  }

  async #whenFree<T>(step: () => T): Promise<T> {
    const { timeoutMs, pause } = this.#waiting;
    for (let waitedMs = 0, pauseMs = 1; ; waitedMs += pauseMs, pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
      try {
        return step();
      } catch (error) {
        if (!isSqliteBusy(error)) throw error;
        if (waitedMs >= timeoutMs) throw this.#busy(error);
      }
      await pause(pauseMs);
    }
  }

  #busy(cause: unknown): StoreBusyError {
    const message = `Another connection kept the SQLite database locked for ${this.#waiting.timeoutMs} ms. Try again.`;
    return new StoreBusyError(message, { cause });
  }

  #rollBack(): void {
    try {
      this.run('ROLLBACK');
    } catch {
      // SQLite has already rolled back, as it does when the disk is full; the original error tells the cause.
    }
  }

  #prepare(sql: string): SqliteStatement {
    const statement = this.#statementBySql.get(sql) ?? this.database.prepare(sql);
    this.#statementBySql.set(sql, statement);
    return statement;
  }
}
