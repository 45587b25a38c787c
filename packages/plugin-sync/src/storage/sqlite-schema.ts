/** The tables of `SqliteStorage`, and the refusal of tables that a newer version of it made. */
import { DurableObjectDatabase } from '@objectql/sync-types';
import { inTransaction, type SqliteDatabase, sqliteError } from './sqlite-database.js';
import { StorageError } from './storage-error.js';

const SCHEMA_VERSION = 1;

/** Sets up the connection so that a commit is on the disk when it returns, and creates missing tables. */
export function openSchema(database: SqliteDatabase): void {
  // A Durable Object sets up its own, and lets nothing leave it before what it wrote is safe.
  if (!(database instanceof DurableObjectDatabase)) setUpConnection(database);
  // Looks first, so that only the first opening of the database needs the write lock.
  if (!hasTables(database)) createTables(database);
  refuseNewer(database.prepare(SELECT_VERSION).get());
}

function setUpConnection(database: SqliteDatabase): void {
  // The busy timeout gives another process of the same app its turn.
  database.exec('PRAGMA busy_timeout = 5000');
  switchToWal(database);
  // EXTRA makes an fsync happen at every commit, and in the modes that cannot do WAL syncs the directory too; fullfsync is
  // for macOS, where fsync alone stops at the drive's cache.
  database.exec('PRAGMA synchronous = EXTRA; PRAGMA fullfsync = 1;');
}

/** Checked in every transaction: another process may have upgraded the tables since they were opened. */
export const SELECT_VERSION = 'SELECT schema_version FROM sync_client';

/** WAL needs one fsync a commit instead of three, and lets another process read meanwhile. */
function switchToWal(database: SqliteDatabase, triesLeft = 10): void {
  try {
    database.exec('PRAGMA journal_mode = WAL');
  } catch (error) {
    if (triesLeft === 0 || sqliteError(error).code !== 'LOCKED') throw error;
    // Processes that open a new database at once lock each other out here, whatever the busy timeout. A transaction
    // does wait for it, and then finds the database switched by the first process.
    inTransaction(database, 'BEGIN IMMEDIATE', () => {});
    switchToWal(database, triesLeft - 1);
  }
}

function hasTables(database: SqliteDatabase): boolean {
  return Boolean(database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'sync_client'").get());
}

/** Several processes may get here at once: the first creates the tables, the others find them. */
function createTables(database: SqliteDatabase): void {
  inTransaction(database, 'BEGIN IMMEDIATE', () => {
    database.exec(TABLES);
    const insert = database.prepare('INSERT OR IGNORE INTO sync_client (id, schema_version, meta) VALUES (1, ?, NULL)');
    insert.run(SCHEMA_VERSION);
  });
}

/** `record_id` is JSON, so that `1` and `'1'` stay two records whatever SQLite's affinities do; `walk` is JSON too. */
const TABLES = `
CREATE TABLE IF NOT EXISTS sync_client (
  id INTEGER PRIMARY KEY CHECK (id = 1), schema_version INTEGER NOT NULL, meta TEXT
);
CREATE TABLE IF NOT EXISTS sync_client_entries (id TEXT PRIMARY KEY, entry TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sync_client_conflicts (id TEXT PRIMARY KEY, conflict TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sync_client_dead_letters (id TEXT PRIMARY KEY, dead_letter TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sync_client_records (
  object_name TEXT NOT NULL, record_id TEXT NOT NULL, walk TEXT NOT NULL, record TEXT NOT NULL,
  PRIMARY KEY (object_name, record_id)
);`;

/** Throws `TOO_NEW` for an answer to `SELECT_VERSION` from tables of a newer version. */
export function refuseNewer(row: unknown): void {
  // The column is declared as a number.
  const { schema_version: version } = row as { readonly schema_version: number };
  if (version <= SCHEMA_VERSION) return;
  throw new StorageError(
    'TOO_NEW',
    `The sync tables of this database have version ${version}; this app knows version ${SCHEMA_VERSION}. Update the app.`,
  );
}
