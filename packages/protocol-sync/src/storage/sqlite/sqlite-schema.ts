/** The SQLite store's tables, and how an older file is upgraded. */
import { stepsFrom } from '../schema-version.js';
import type { Int8 } from '../sql-rows.js';
import type { SqliteDatabase } from './sqlite-database.js';

/**
 * Steps are never changed once released. A record's place is its row's key, so that a page is one stretch of the table;
 * every index carries it, so that `objectql_sync_records_by_object` is in feed order within an object.
 * A record id is kept as its JSON text, so that 1 and "1" stay two records.
 */
const STEPS: readonly string[] = [
  `
  CREATE TABLE objectql_sync_feed (
    id INTEGER PRIMARY KEY CHECK (id = 1), epoch TEXT NOT NULL,
    head INTEGER NOT NULL, floor INTEGER NOT NULL, version_floor INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE objectql_sync_records (
    place INTEGER PRIMARY KEY, object_name TEXT NOT NULL, record_id TEXT NOT NULL, version INTEGER NOT NULL,
    changed_at INTEGER NOT NULL, data TEXT, bookkeeping TEXT NOT NULL, UNIQUE (object_name, record_id)
  ) STRICT;
  CREATE INDEX objectql_sync_records_by_object ON objectql_sync_records (object_name, place);
  CREATE INDEX objectql_sync_tombstones ON objectql_sync_records (changed_at) WHERE data IS NULL;
  CREATE TABLE objectql_sync_ledger (
    mutation_id TEXT PRIMARY KEY, log_id TEXT, sequence INTEGER NOT NULL, object_name TEXT NOT NULL,
    record_id TEXT NOT NULL, content_hash TEXT NOT NULL, outcome TEXT NOT NULL, at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX objectql_sync_ledger_by_sequence ON objectql_sync_ledger (log_id, sequence)
    WHERE log_id IS NOT NULL;
  CREATE INDEX objectql_sync_ledger_by_age ON objectql_sync_ledger (at);
  CREATE TABLE objectql_sync_logs (
    log_id TEXT PRIMARY KEY, principal TEXT, floor INTEGER NOT NULL, last_time INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE objectql_sync_intents (
    object_name TEXT NOT NULL, record_id TEXT NOT NULL, intent TEXT NOT NULL, PRIMARY KEY (object_name, record_id)
  ) STRICT, WITHOUT ROWID;
  `,
  // The earlier epochs that the feed's present one continues, each with its last place.
  `
  CREATE TABLE objectql_sync_epochs (epoch TEXT PRIMARY KEY, last_place INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX objectql_sync_epochs_by_place ON objectql_sync_epochs (last_place);
  `,
];

/** Creates or upgrades the tables, inside the caller's transaction. Throws `NewerSchemaError` for a later release's file. */
export function migrateSqlite(database: SqliteDatabase, beginEpoch: () => string): void {
  database.exec(
    'CREATE TABLE IF NOT EXISTS objectql_sync_schema (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL)',
  );
  // The column's type is the one created above.
  const row = database.prepare('SELECT version FROM objectql_sync_schema').get() as
    | { version: Int8 }
    | null
    | undefined;
  const steps = stepsFrom(Number(row?.version ?? 0), STEPS);
  if (steps.length === 0) return;
  for (const step of steps) database.exec(step);
  database.prepare('INSERT OR REPLACE INTO objectql_sync_schema (id, version) VALUES (1, ?)').run(STEPS.length);
  if (row) return;
  database
    .prepare('INSERT INTO objectql_sync_feed (id, epoch, head, floor, version_floor) VALUES (1, ?, 0, 0, 0)')
    .run(beginEpoch());
}
