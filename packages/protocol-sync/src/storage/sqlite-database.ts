/** What the SQLite store uses of a driver: better-sqlite3, libsql, node:sqlite and bun:sqlite all fit without an adapter. */

export interface SqliteStatement {
  run(...parameters: readonly unknown[]): unknown;
  get(...parameters: readonly unknown[]): unknown;
  all(...parameters: readonly unknown[]): unknown[];
}

export interface SqliteDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
}
