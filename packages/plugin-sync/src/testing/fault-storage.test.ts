import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../storage/memory-storage.js';
import { storageContract } from './contract.js';
import { FaultStorage, type StorageOperation } from './fault-storage.js';

storageContract('FaultStorage without faults', {
  keeps: 'nothing',
  loadReads: 'pending',
  runs: 20,
  newPlace: async () => ({ open: () => new FaultStorage(new MemoryStorage()), remove: async () => {} }),
});

describe('a fault storage', () => {
  const FULL = new Error('The disk is full.');
  const CALLS: Readonly<Record<StorageOperation, (storage: FaultStorage) => Promise<unknown>>> = {
    load: (storage) => storage.load(),
    commit: (storage) => storage.commit({}),
    getRecords: (storage) => storage.getRecords([]),
    listRecords: (storage) => storage.listRecords('task'),
  };

  for (const [operation, call] of Object.entries(CALLS) as [StorageOperation, (typeof CALLS)['load']][]) {
    test(`lets ${operation} fail until it is healed`, async () => {
      const storage = new FaultStorage(new MemoryStorage());
      storage.fail(operation, FULL);
      await expect(call(storage)).rejects.toBe(FULL);
      storage.heal();
      await expect(call(storage)).resolves.toEqual(await call(new FaultStorage(new MemoryStorage())));
    });
  }

  test('stores nothing of a batch that it let fail', async () => {
    const storage = new FaultStorage(new MemoryStorage());
    storage.fail('commit', FULL);
    await storage.commit({ removeEntries: ['mutation-1'] }).catch(() => {});
    expect(storage.commits).toEqual([]);
  });
});
