/** Reads a client's state from IndexedDB, and writes a batch, in one transaction each. */
import type { Platform } from '../platform/platform.js';
import { checkExpected } from './check-expected.js';
import type {
  ClientMeta,
  ClientState,
  DeadLetter,
  ParkedConflict,
  StorageBatch,
  StoredEntry,
} from './client-storage.js';
import { abort, endOf, resultOf } from './indexeddb-request.js';
import { STORES } from './indexeddb-schema.js';
import { inOrder } from './state-order.js';

export async function readState(database: IDBDatabase, platform: Platform): Promise<ClientState> {
  const transaction = database.transaction(STORES);
  const store = (name: (typeof STORES)[number]) => transaction.objectStore(name);
  const [meta, entries, conflicts, deadLetters] = await Promise.all([
    resultOf<ClientMeta | undefined>(store('meta').get('client')),
    resultOf<StoredEntry[]>(store('entries').getAll()),
    resultOf<ParkedConflict[]>(store('conflicts').getAll()),
    resultOf<DeadLetter[]>(store('deadLetters').getAll()),
    endOf(transaction, platform),
  ]);
  return inOrder({ meta: meta ?? null, entries, conflicts, deadLetters });
}

/** Resolves when all of the batch is on the disk; when it rejects, nothing was written, unless `endOf` cannot tell. */
export async function writeBatch(database: IDBDatabase, batch: StorageBatch, platform: Platform): Promise<void> {
  // The default, `relaxed` in Chromium, resolves while the data is still in the system's cache.
  const transaction = database.transaction(STORES, 'readwrite', { durability: 'strict' });
  try {
    // Otherwise the browser waits for the page to hear of each request: a page that is left or hangs meanwhile would
    // store nothing, and keep all other tabs from writing.
    const filled = fill(transaction, batch).then(() => transaction.commit());
    await Promise.all([endOf(transaction, platform), filled]);
  } catch (error) {
    abort(transaction);
    throw error;
  }
}

/** Requests all changes of the batch. If it expects nothing, they are all requested before this returns. */
export async function fill(transaction: IDBTransaction, batch: StorageBatch): Promise<void> {
  const store = (name: (typeof STORES)[number]) => transaction.objectStore(name);
  if (batch.expectCheckpoint !== undefined || batch.expectRevision !== undefined) {
    checkExpected(batch, await resultOf<ClientMeta | undefined>(store('meta').get('client')));
  }
  // IndexedDB executes requests in order; the end of the transaction tells how they went.
  for (const id of batch.removeEntries ?? []) store('entries').delete(id);
  for (const id of batch.removeConflicts ?? []) store('conflicts').delete(id);
  for (const id of batch.removeDeadLetters ?? []) store('deadLetters').delete(id);
  for (const { objectName, recordId } of batch.removeRecords ?? []) store('records').delete([objectName, recordId]);
  for (const entry of batch.putEntries ?? []) store('entries').put(entry);
  for (const conflict of batch.putConflicts ?? []) store('conflicts').put(conflict);
  for (const letter of batch.putDeadLetters ?? []) store('deadLetters').put(letter);
  for (const record of batch.putRecords ?? []) store('records').put(record);
  if (batch.meta) store('meta').put(batch.meta, 'client');
  if (batch.sweepWalk !== undefined) await sweep(store('records'), batch.sweepWalk);
}

/** Reads only keys: the records themselves may be many megabytes. */
async function sweep(records: IDBObjectStore, walk: string): Promise<void> {
  const [seen, all] = await Promise.all([
    resultOf(records.index('walk').getAllKeys(walk)),
    resultOf(records.getAllKeys()),
  ]);
  const seenKeys = new Set(seen.map((key) => JSON.stringify(key)));
  for (const key of all) if (!seenKeys.has(JSON.stringify(key))) records.delete(key);
}
