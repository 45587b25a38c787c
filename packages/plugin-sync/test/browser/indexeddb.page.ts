/** What a page holds in which `IndexedDbStorage` is tested: its contract, and storages the test outside can call. */
import type { StorageBatch } from '../../src/storage/client-storage.js';
import { IndexedDbStorage } from '../../src/storage/indexeddb-storage.js';
import { storageContract } from '../../src/storage/storage.contract.js';

let places = 0;

storageContract('IndexedDbStorage', {
  keeps: 'everything',
  loadReads: 'pending',
  runs: 30,
  async newPlace() {
    const name = `contract-${++places}`;
    return {
      open: () => new IndexedDbStorage(name),
      remove: () =>
        new Promise((resolve, reject) => {
          const deletion = indexedDB.deleteDatabase(name);
          deletion.onsuccess = () => resolve();
          deletion.onerror = () => reject(deletion.error);
        }),
    };
  },
});

/** Storages by name, so that the test outside can call them one at a time. */
const storages = new Map<string, IndexedDbStorage>();

/** Calls the storage of this name, which is opened by its first call. Answers the code of what it throws. */
async function callStorage(name: string, call: (storage: IndexedDbStorage) => Promise<unknown>): Promise<unknown> {
  const storage = storages.get(name) ?? new IndexedDbStorage(name);
  storages.set(name, storage);
  return call(storage).catch((error) => error.code ?? error.name);
}

export interface IndexedDbPage {
  load(name: string): Promise<unknown>;
  commit(name: string, batch: StorageBatch): Promise<unknown>;
}

const indexedDbPage: IndexedDbPage = {
  load: (name) => callStorage(name, (storage) => storage.load()),
  commit: (name, batch) => callStorage(name, (storage) => storage.commit(batch)),
};

Object.assign(globalThis, { indexedDbPage });
