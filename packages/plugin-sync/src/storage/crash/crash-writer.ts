/**
 * Commits numbered batches for as long as it lives and prints the number of each once it is durable. Started by
 * `crash.test.ts` as a process of its own, and killed by it. Arguments: the kind of storage and its path.
 */
import { writeSync } from 'node:fs';
import { lastBatch, nthBatch } from '../contract/numbered-batches.js';
import { openCrashStorage } from './crash-storage.js';

const [kind, path] = process.argv.slice(2);
const storage = await openCrashStorage(kind, path);

// Several at a time, so that batches share a sync where the storage does that.
for (let next = (await lastBatch(storage)) + 1; ; next += 4) {
  await Promise.all(
    [next, next + 1, next + 2, next + 3].map(async (n) => {
      await storage.commit(nthBatch(n));
      writeSync(1, `${n}\n`);
    }),
  );
}
