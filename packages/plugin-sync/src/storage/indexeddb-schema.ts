/** The object stores of `IndexedDbStorage`. */

/** Rises with each change of the stores; a browser refuses an older app the stores of a newer one. */
export const SCHEMA_VERSION = 1;

export const STORES = ['meta', 'entries', 'conflicts', 'deadLetters', 'records'] as const;

/** Creates the stores in a new database. */
export function createStores(database: IDBDatabase): void {
  database.createObjectStore('meta');
  database.createObjectStore('entries', { keyPath: 'mutation.id' });
  database.createObjectStore('conflicts', { keyPath: 'id' });
  database.createObjectStore('deadLetters', { keyPath: 'id' });
  // IndexedDB keys keep `1` and `'1'` apart, so a record's id goes into its key unchanged.
  const records = database.createObjectStore('records', { keyPath: ['objectName', 'recordId'] });
  // Records outside of a walk have `null` there, which is no key: the index costs something only during a walk.
  records.createIndex('walk', 'walk');
}
