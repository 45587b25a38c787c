/** An application's own records in a SQLite file that shares no transaction with the sync store. */

import type { RecordResolver } from '@objectql/protocol-sync';
import type { JsonObject } from '@objectql/sync-types';
import Database from 'libsql';

/** Reads and writes the records of the file; may be asked to make one write twice. */
export function tableResolver(file: string): RecordResolver {
  const database = openTable(file);
  const read = database.prepare('SELECT data FROM records WHERE record_id = ?');
  const write = database.prepare('INSERT OR REPLACE INTO records (record_id, data) VALUES (?, ?)');
  const getRecord = (recordId: string | number): JsonObject | undefined => {
    const row = read.get(recordId) as { readonly data: string } | undefined;
    return row && (JSON.parse(row.data) as JsonObject);
  };
  return {
    getRecord: (_objectName, recordId) => getRecord(recordId),
    applyMutation({ recordId, data }) {
      write.run(recordId, JSON.stringify({ ...getRecord(recordId), ...data }));
    },
  };
}

/** All records of the file. */
export function readTable(file: string): readonly { readonly recordId: string; readonly data: object }[] {
  const rows = openTable(file).prepare('SELECT record_id, data FROM records').all();
  return (rows as { record_id: string; data: string }[]).map(({ record_id, data }) => ({
    recordId: record_id,
    data: JSON.parse(data) as object,
  }));
}

function openTable(file: string): InstanceType<typeof Database> {
  const database = new Database(file);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  database.exec('CREATE TABLE IF NOT EXISTS records (record_id TEXT PRIMARY KEY, data TEXT NOT NULL)');
  return database;
}
