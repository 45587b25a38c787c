/** What a page holds whose browser is killed while it stores numbered batches. */
import { lastBatch, nthBatch, type Told, tell } from '../../src/storage/contract/numbered-batches.js';
import { IndexedDbStorage } from '../../src/storage/indexeddb-storage.js';

export interface CrashPage {
  /** Commits batches for ever and reports the number of each once it is durable. */
  write(report: (n: number) => void): Promise<void>;
  /** The number of the last batch that is there, and all that the storage tells. */
  read(): Promise<{ readonly last: number; readonly told: Told }>;
}

const storage = new IndexedDbStorage('crash');

const crashPage: CrashPage = {
  async write(report) {
    for (let n = (await lastBatch(storage)) + 1; ; n++) {
      await storage.commit(nthBatch(n));
      report(n);
    }
  },
  read: async () => ({ last: await lastBatch(storage), told: await tell(storage) }),
};

Object.assign(globalThis, { crashPage });
