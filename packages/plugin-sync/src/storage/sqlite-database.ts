/** What `SqliteStorage` uses of a SQLite driver, and how to read the drivers' errors. */
import { DurableObjectDatabase } from '@objectql/sync-types';
import { StorageError, type StorageErrorCode } from './storage-error.js';

/** A value bound to a statement. No `null`: the drivers' own types do not agree on it. */
export type SqliteValue = string | number;

/** A prepared statement with positional parameters. */
export interface SqliteStatement {
  run(...parameters: SqliteValue[]): unknown;
  /** The first row; `undefined` or `null` when there is none. */
  get(...parameters: SqliteValue[]): unknown;
  all(...parameters: SqliteValue[]): unknown[];
}

/** An open SQLite handle: better-sqlite3, libsql, `node:sqlite` and `bun:sqlite` all fit as they are. */
export interface SqliteDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
}

/** Runs `work` between `begin` and COMMIT; when it throws, rolls back and throws on. */
export function inTransaction<T>(database: SqliteDatabase, begin: 'BEGIN' | 'BEGIN IMMEDIATE', work: () => T): T {
  if (database instanceof DurableObjectDatabase) return database.storage.transactionSync(work);
  database.exec(begin);
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    rollBack(database);
    throw error;
  }
}

/** A driver's error as a `StorageError` that says what to do. */
export function sqliteError(error: unknown): StorageError {
  const code = codeByResult.get(resultOf(error)) ?? 'FAILED';
  return new StorageError(code, `SQLite could not ${advice[code]}`, { cause: error });
}

/** What can go wrong in an existing database. */
type SqliteErrorCode = Exclude<StorageErrorCode, 'UNAVAILABLE' | 'CLEARED'>;

const codeByResult = new Map<string | number | undefined, SqliteErrorCode>([
  ['SQLITE_BUSY', 'LOCKED'],
  [5, 'LOCKED'],
  ['SQLITE_CORRUPT', 'DAMAGED'],
  [11, 'DAMAGED'],
  ['SQLITE_FULL', 'FULL'],
  [13, 'FULL'],
  ['SQLITE_NOTADB', 'DAMAGED'],
  [26, 'DAMAGED'],
]);

const advice: Readonly<Record<SqliteErrorCode, string>> = {
  CLOSED: 'be reached: the database is closed. Open it again.',
  LOCKED: 'get the write lock of the database: another process holds it. Try again.',
  DAMAGED: 'read the database: the file is damaged. Restore it, or delete it and sync anew.',
  TOO_NEW: 'read the database: a newer version wrote it. Update the app.',
  FULL: 'store the batch: the disk is full. Free some space and try again.',
  FAILED: 'do what it was asked to. See the cause of this error.',
};

function rollBack(database: SqliteDatabase): void {
  try {
    database.exec('ROLLBACK');
  } catch {
    // SQLite has rolled back by itself, as on a full disk; the error under way tells the cause.
  }
}

/** The result code by name (better-sqlite3, libsql, Bun) or by number (`node:sqlite`), extended codes cut to their base. */
function resultOf(error: unknown): string | number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  if (typeof errcode === 'number') return errcode & 0xff;
  return /^SQLITE_[A-Z]+/.exec(String(code))?.[0];
}
