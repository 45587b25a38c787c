/** What the SQLite store uses of a driver, and how to read the drivers' errors. */

/** A prepared statement with positional parameters. */
export interface SqliteStatement {
  run(...parameters: readonly unknown[]): unknown;
  /** The first row; `undefined` or `null` when there is none. */
  get(...parameters: readonly unknown[]): unknown;
  all(...parameters: readonly unknown[]): unknown[];
}

/** An open SQLite handle: better-sqlite3, libsql, `node:sqlite` and `bun:sqlite` all fit as they are. */
export interface SqliteDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
}

const SQLITE_BUSY = 5;

/**
 * True when another connection holds the lock that was needed. Drivers report it by name (better-sqlite3, libsql, Bun)
 * or by number (`node:sqlite`), whose low byte is the result and the rest its kind.
 */
export function isSqliteBusy(error: unknown): boolean {
  const { code, errcode } = Object(error) as { readonly code?: unknown; readonly errcode?: unknown };
  if (typeof errcode === 'number') return (errcode & 0xff) === SQLITE_BUSY;
  return typeof code === 'string' && /^SQLITE_BUSY(_|$)/.test(code);
}
