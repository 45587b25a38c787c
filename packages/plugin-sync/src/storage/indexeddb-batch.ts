/** Writes a batch to IndexedDB in one transaction. */
import type { IDBPTransaction } from 'idb';
import { checkExpected } from './check-expected.js';
import type { StorageBatch } from './client-storage.js';
import { STORES, type SyncDatabase, type SyncSchema } from './indexeddb-schema.js';

/** Resolves when all of the batch is on the disk; when it rejects, nothing of it was written. */
export async function writeBatch(database: SyncDatabase, batch: StorageBatch): Promise<void> {
  // The default, `relaxed` in Chromium, resolves while the data is still in the system's cache.
  const transaction = database.transaction(STORES, 'readwrite', { durability: 'strict' });
  try {
    await fill(transaction, batch);
  } catch (error) {
    abort(transaction);
    await transaction.done.catch(() => {
      // It ends with the abort; what led to it is thrown on.
    });
    throw error;
  }
  await transaction.done;
}

type Transaction = IDBPTransaction<SyncSchema, typeof STORES, 'readwrite'>;

async function fill(transaction: Transaction, batch: StorageBatch): Promise<void> {
  const store = <Name extends (typeof STORES)[number]>(name: Name) => transaction.objectStore(name);
  if (batch.expectCheckpoint !== undefined || batch.expectRevision !== undefined) {
    checkExpected(batch, (await store('meta').get('client')) ?? null);
  }
  // IndexedDB makes requests in the order they are asked for; waiting for each would take a turn of the event loop each.
  // Asked for by async functions, so that what cannot be stored rejects like what fails later.
  await Promise.all([
    ...(batch.removeEntries ?? []).map(async (id) => store('entries').delete(id)),
    ...(batch.removeConflicts ?? []).map(async (id) => store('conflicts').delete(id)),
    ...(batch.removeDeadLetters ?? []).map(async (id) => store('deadLetters').delete(id)),
    ...(batch.removeRecords ?? []).map(async (ref) => store('records').delete([ref.objectName, ref.recordId])),
    ...(batch.putEntries ?? []).map(async (entry) => store('entries').put(entry)),
    ...(batch.putConflicts ?? []).map(async (conflict) => store('conflicts').put(conflict)),
    ...(batch.putDeadLetters ?? []).map(async (letter) => store('deadLetters').put(letter)),
    ...(batch.putRecords ?? []).map(async (record) => store('records').put(record)),
    batch.meta && store('meta').put(batch.meta, 'client'),
  ]);
  if (batch.sweepWalk !== undefined) await sweep(transaction, batch.sweepWalk);
}

/** Reads keys alone: the records themselves may be many megabytes. */
async function sweep(transaction: Transaction, walk: string): Promise<void> {
  const records = transaction.objectStore('records');
  const [seen, all] = await Promise.all([records.index('walk').getAllKeys(walk), records.getAllKeys()]);
  const seenKeys = new Set(seen.map((key) => JSON.stringify(key)));
  await Promise.all(all.filter((key) => !seenKeys.has(JSON.stringify(key))).map((key) => records.delete(key)));
}

function abort(transaction: Transaction): void {
  try {
    transaction.abort();
  } catch {
    // A request that failed has aborted it already.
  }
}
