/** The SQL of `SqliteStorage`: each statement prepared once, and a batch written with them. */
import type { RecordRef } from '@objectql/sync-types';
import type { StorageBatch } from './client-storage.js';
import type { SqliteDatabase, SqliteStatement } from './sqlite-database.js';
import { SELECT_VERSION } from './sqlite-schema.js';

/** Each selecting statement except `version` returns its JSON in a column named `json`. */
export type SqliteStatements = Readonly<Record<keyof typeof SQL, SqliteStatement>>;

/** Prepares all statements; the tables must exist. */
export function prepareStatements(database: SqliteDatabase): SqliteStatements {
  const prepared = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)]);
  // A cast, because Object.entries forgets the key names; they are those of SQL.
  return Object.fromEntries(prepared) as SqliteStatements;
}

/** The JSON of a selected row. It is what was written, so it has that type. */
export function readJson<T>(row: unknown): T {
  const { json } = row as { readonly json: string };
  return JSON.parse(json) as T;
}

/** The key of a record, as the parameters of a statement. */
export function keyOf(ref: RecordRef): readonly [string, string] {
  return [ref.objectName, JSON.stringify(ref.recordId)];
}

/** Writes a batch inside the open transaction. */
export function writeBatch(sql: SqliteStatements, batch: StorageBatch): void {
  if (batch.meta) sql.putMeta.run(JSON.stringify(batch.meta));
  for (const id of batch.removeEntries ?? []) sql.removeEntry.run(id);
  for (const id of batch.removeConflicts ?? []) sql.removeConflict.run(id);
  for (const id of batch.removeDeadLetters ?? []) sql.removeDeadLetter.run(id);
  for (const ref of batch.removeRecords ?? []) sql.removeRecord.run(...keyOf(ref));
  for (const entry of batch.putEntries ?? []) sql.putEntry.run(entry.mutation.id, JSON.stringify(entry));
  for (const conflict of batch.putConflicts ?? []) sql.putConflict.run(conflict.id, JSON.stringify(conflict));
  for (const letter of batch.putDeadLetters ?? []) sql.putDeadLetter.run(letter.id, JSON.stringify(letter));
  for (const record of batch.putRecords ?? [])
    sql.putRecord.run(...keyOf(record), JSON.stringify(record.walk), JSON.stringify(record));
  if (batch.sweepWalk !== undefined) sql.sweep.run(JSON.stringify(batch.sweepWalk));
}

const SQL = {
  version: SELECT_VERSION,
  meta: `SELECT coalesce(meta, 'null') AS json FROM sync_client`,
  entries: 'SELECT entry AS json FROM sync_client_entries',
  conflicts: 'SELECT conflict AS json FROM sync_client_conflicts',
  deadLetters: 'SELECT dead_letter AS json FROM sync_client_dead_letters',
  record: 'SELECT record AS json FROM sync_client_records WHERE object_name = ? AND record_id = ?',
  recordsOf: 'SELECT record AS json FROM sync_client_records WHERE object_name = ?',
  putMeta: 'UPDATE sync_client SET meta = ?',
  putEntry: 'INSERT OR REPLACE INTO sync_client_entries (id, entry) VALUES (?, ?)',
  putConflict: 'INSERT OR REPLACE INTO sync_client_conflicts (id, conflict) VALUES (?, ?)',
  putDeadLetter: 'INSERT OR REPLACE INTO sync_client_dead_letters (id, dead_letter) VALUES (?, ?)',
  putRecord: 'INSERT OR REPLACE INTO sync_client_records (object_name, record_id, walk, record) VALUES (?, ?, ?, ?)',
  removeEntry: 'DELETE FROM sync_client_entries WHERE id = ?',
  removeConflict: 'DELETE FROM sync_client_conflicts WHERE id = ?',
  removeDeadLetter: 'DELETE FROM sync_client_dead_letters WHERE id = ?',
  removeRecord: 'DELETE FROM sync_client_records WHERE object_name = ? AND record_id = ?',
  sweep: 'DELETE FROM sync_client_records WHERE walk <> ?',
} as const;
