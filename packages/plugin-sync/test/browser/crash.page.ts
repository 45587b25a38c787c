/** What a page holds whose browser is killed while it stores numbered batches. */
import { lastBatch, nthBatch, type Told, tell } from '../../src/storage/contract/numbered-batches.js';
import { IndexedDbStorage } from '../../src/storage/indexeddb-storage.js';
import { StorageError } from '../../src/storage/storage-error.js';

export interface CrashPage {
  /** Commits batches for ever and reports the number of each once it is durable. */
  write(report: (n: number) => void): Promise<void>;
  /** The number of the last batch that is there, and all that the storage tells. */
  read(): Promise<{ readonly last: number; readonly told: Told }>;
}

const storage = new IndexedDbStorage('crash');

/** Opens the storage, as often as a busy machine takes, as a client does. */
async function lastStored(): Promise<number> {
  try {
    return await lastBatch(storage);
  } catch (error) {
    if (error instanceof StorageError && error.code === 'LOCKED') return lastStored();
    throw error;
  }
}

const crashPage: CrashPage = {
  async write(report) {
    for (let n = (await lastStored()) + 1; ; n++) {
      await storage.commit(nthBatch(n));
      report(n);
    }
  },
  read: async () => ({ last: await lastStored(), told: await tell(storage) }),
};

Object.assign(globalThis, { crashPage });
