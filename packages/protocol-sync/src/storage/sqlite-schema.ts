/** The SQLite store's tables, and how an older file becomes a newer one. */
import type { SqliteDatabase } from './sqlite-database.js';

/** Each step brings the schema from its index to the next version. Steps are never changed once released. */
const STEPS: readonly string[] = [
  `
  CREATE TABLE sync_facts (
    id INTEGER PRIMARY KEY CHECK (id = 1), epoch TEXT NOT NULL, head INTEGER NOT NULL,
    floor INTEGER NOT NULL, version_floor INTEGER NOT NULL
  ) STRICT;
  -- record_id is the id's JSON text, so that 1 and "1" stay two records.
  CREATE TABLE sync_records (
    object_name TEXT NOT NULL, record_id TEXT NOT NULL, place INTEGER NOT NULL UNIQUE, version INTEGER NOT NULL,
    is_deleted INTEGER NOT NULL, changed_at INTEGER NOT NULL, data TEXT, book TEXT NOT NULL,
    PRIMARY KEY (object_name, record_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sync_records_by_object ON sync_records (object_name, place);
  CREATE INDEX sync_tombstones_by_age ON sync_records (changed_at) WHERE is_deleted = 1;
  CREATE TABLE sync_ledger (
    mutation_id TEXT PRIMARY KEY, log_id TEXT, sequence INTEGER NOT NULL, content_hash TEXT NOT NULL,
    object_name TEXT NOT NULL, record_id TEXT NOT NULL, outcome TEXT NOT NULL, at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX sync_ledger_by_sequence ON sync_ledger (log_id, sequence) WHERE log_id IS NOT NULL;
  CREATE INDEX sync_ledger_by_age ON sync_ledger (at);
  CREATE TABLE sync_logs (
    log_id TEXT PRIMARY KEY, principal TEXT, floor INTEGER NOT NULL, last_time INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE sync_intents (
    object_name TEXT NOT NULL, record_id TEXT NOT NULL, intent TEXT NOT NULL, PRIMARY KEY (object_name, record_id)
  ) STRICT, WITHOUT ROWID;
  `,
];

/** Creates or upgrades the tables, inside the caller's transaction. Refuses a file that a newer release has written. */
export function migrateSqlite(database: SqliteDatabase, newEpoch: () => string): void {
  database.exec(
    'CREATE TABLE IF NOT EXISTS sync_schema (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL)',
  );
  const row = database.prepare('SELECT version FROM sync_schema').get() as { version: number } | undefined;
  const version = row?.version ?? 0;
  if (version > STEPS.length) {
    throw new Error(
      `This database has sync schema ${version}, and this release knows up to ${STEPS.length}. ` +
        'Upgrade @objectql/protocol-sync, or use another database file.',
    );
  }
  for (const step of STEPS.slice(version)) database.exec(step);
  database.prepare('INSERT OR REPLACE INTO sync_schema (id, version) VALUES (1, ?)').run(STEPS.length);
  database
    .prepare('INSERT OR IGNORE INTO sync_facts (id, epoch, head, floor, version_floor) VALUES (1, ?, 0, 0, 0)')
    .run(newEpoch());
}
