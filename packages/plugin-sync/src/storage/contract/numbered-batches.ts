/** Batches that tell their number, so that what survived a crash can be checked to the last detail. */
import type { BaseRecord, ClientState, ClientStorage, StorageBatch } from '../client-storage.js';
import { MemoryStorage } from '../memory-storage.js';
import { sampleEntry, sampleMeta, sampleRecord } from './storage-samples.js';

/**
 * Changes most of what a batch can, by its number. The first of three is the user's: an entry comes and an old one
 * goes. The other two hold what the server told, and can tell again. A record changes in each.
 */
export function nthBatch(n: number): StorageBatch {
  const own = lastOwnBatch(n);
  return {
    meta: sampleMeta({ nextSequence: own + 1, checkpoint: `c${n}`, revision: n }),
    putEntries: own === n ? [sampleEntry(`m${n}`, n)] : [],
    removeEntries: own === n ? [`m${n - 3}`] : [],
    putRecords: [sampleRecord({ recordId: n % 4, version: n, data: { text: 'x'.repeat((n * 97) % 300) } })],
  };
}

/** The last batch up to this one with something that only this device has. */
export function lastOwnBatch(n: number): number {
  return Math.max(0, n - ((n + 2) % 3));
}

/** The number of the last batch that a storage keeps. */
export async function lastBatch(storage: ClientStorage): Promise<number> {
  const { meta } = await storage.load();
  return meta?.revision ?? 0;
}

/** Everything a storage tells. */
export interface Told {
  readonly state: ClientState;
  readonly records: readonly BaseRecord[];
}

/** What a storage tells after some of the batches. */
export async function tell(storage: ClientStorage): Promise<Told> {
  const records = [...(await storage.listRecords('task'))];
  return { state: await storage.load(), records: records.sort((a, b) => Number(a.recordId) - Number(b.recordId)) };
}

/** What a storage must tell after the batches 1 … n. */
export async function tellAfter(n: number): Promise<Told> {
  const model = new MemoryStorage();
  for (let batch = 1; batch <= n; batch++) await model.commit(nthBatch(batch));
  return tell(model);
}
