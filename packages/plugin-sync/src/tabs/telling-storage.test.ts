import { describe, expect, it, test } from 'vitest';
import { CheckpointMovedError, RevisionMovedError, type StorageBatch } from '../storage/client-storage.js';
import { sampleMeta, sampleRecord } from '../storage/contract/storage-samples.js';
import { MemoryStorage } from '../storage/memory-storage.js';
import { storageContract } from '../storage/storage.contract.js';
import { FaultStorage } from '../testing/fault-storage.js';
import { tellingStorage } from './telling-storage.js';

storageContract(
  'tellingStorage',
  {
    keeps: 'nothing',
    loadReads: 'pending',
    newPlace: async () => ({ open: () => tellingStorage(new MemoryStorage(), () => {}), remove: async () => {} }),
  },
  { describe, it, expect },
);

/** What is told of a commit that ends in `error`, if that is given. */
async function toldOf(batch: StorageBatch, error?: Error): Promise<readonly unknown[]> {
  const inner = new FaultStorage(new MemoryStorage());
  if (error) inner.fail('commit', error);
  const told: unknown[] = [];
  await tellingStorage(inner, (message) => told.push(message))
    .commit(batch)
    .catch(() => {});
  return told;
}

test('names the records that a commit changes, or tells that any may have changed', async () => {
  const meta = sampleMeta({ revision: 7 });
  const [t1, t2] = ['t1', 't2'].map((recordId) => ({ objectName: 'task', recordId }));
  const many = Array.from({ length: 2001 }, (_, recordId) => sampleRecord({ recordId }));
  const told = await Promise.all(
    [
      { meta, putRecords: [sampleRecord(t1)], removeRecords: t2 ? [t2] : [] },
      { meta },
      { meta, putRecords: [sampleRecord(t1)], sweepWalk: 'walk' },
      { meta, putRecords: many },
    ].map((batch) => toldOf(batch)),
  );
  expect(told).toEqual(
    [[t1, t2], [], 'all', 'all'].map((changed) => [{ type: 'writing' }, { type: 'wrote', revision: 7, changed }]),
  );
});

test('tells no end of a commit that failed: it may be stored, even if another writer seems to have come first', async () => {
  const errors = [new RevisionMovedError(), new CheckpointMovedError(), new Error('The disk does not answer.')];
  const told = await Promise.all(errors.map((error) => toldOf({ meta: sampleMeta() }, error)));
  expect(told).toEqual(Array(3).fill([{ type: 'writing' }]));
});
