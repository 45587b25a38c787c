/** The object stores of `IndexedDbStorage`. */
import type { DBSchema, IDBPDatabase } from 'idb';
import type { BaseRecord, ClientMeta, DeadLetter, ParkedConflict, StoredEntry } from './client-storage.js';

/** Rises with each change of the stores; a browser refuses an older app that meets a newer one's. */
export const SCHEMA_VERSION = 1;

export const STORES = ['meta', 'entries', 'conflicts', 'deadLetters', 'records'] as const;

/** IndexedDB keys keep `1` and `'1'` apart, so a record's id is part of its key as it is. */
export interface SyncSchema extends DBSchema {
  meta: { key: 'client'; value: ClientMeta };
  entries: { key: string; value: StoredEntry };
  conflicts: { key: string; value: ParkedConflict };
  deadLetters: { key: string; value: DeadLetter };
  records: { key: [string, string | number]; value: BaseRecord; indexes: { walk: string } };
}

export type SyncDatabase = IDBPDatabase<SyncSchema>;

/** Creates the stores in a new database. */
export function createStores(database: SyncDatabase): void {
  database.createObjectStore('meta');
  database.createObjectStore('entries', { keyPath: 'mutation.id' });
  database.createObjectStore('conflicts', { keyPath: 'id' });
  database.createObjectStore('deadLetters', { keyPath: 'id' });
  const records = database.createObjectStore('records', { keyPath: ['objectName', 'recordId'] });
  // Records outside of a walk have `null` there, which is no key: the index costs nothing but during a walk.
  records.createIndex('walk', 'walk');
}
