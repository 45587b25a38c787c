import { describe, expect, it } from 'vitest';
import { sampleEntry } from './contract/storage-samples.js';
import { MemoryStorage } from './memory-storage.js';
import { storageContract } from './storage.contract.js';
import { withStorageFaults } from './storage-faults.js';

storageContract('A storage without planned faults', {
  keeps: 'nothing',
  loadReads: 'pending',
  newPlace: async () => ({ open: () => withStorageFaults(new MemoryStorage(), []), remove: async () => {} }),
});

describe('withStorageFaults', () => {
  const fault = { name: 'StorageError', code: 'FAILED' };
  const put = (n: number) => ({ putEntries: [sampleEntry(`m${n}`, n)] });

  it('fails the n-th operation before it is done, and no other', async () => {
    const storage = withStorageFaults(new MemoryStorage(), [{ nth: 2, when: 'before' }]);
    await storage.load();
    await expect(storage.commit(put(1))).rejects.toMatchObject(fault);
    await storage.commit(put(2));
    expect((await storage.load()).entries).toEqual([sampleEntry('m2', 2)]);
    expect(storage.operations).toEqual(['load', 'commit', 'commit', 'load']);
  });

  it('fails the n-th operation of a kind after it is done', async () => {
    const storage = withStorageFaults(new MemoryStorage(), [{ nth: 2, of: 'commit', when: 'after' }]);
    await storage.commit(put(1));
    await storage.load();
    await expect(storage.commit(put(2))).rejects.toMatchObject(fault);
    expect((await storage.load()).entries).toEqual([sampleEntry('m1', 1), sampleEntry('m2', 2)]);
  });

  it('takes several faults, of every kind of operation', async () => {
    const kinds = ['load', 'commit', 'getRecords', 'listRecords', 'close'] as const;
    const storage = withStorageFaults(
      new MemoryStorage(),
      kinds.map((of) => ({ nth: 1, of, when: 'before' as const })),
    );
    const ask = [
      () => storage.load(),
      () => storage.commit({}),
      () => storage.getRecords([]),
      () => storage.listRecords('task'),
      () => storage.close(),
    ];
    for (const call of ask) await expect(call()).rejects.toMatchObject(fault);
    for (const call of ask) await call();
  });

  it('hands errors of the storage itself through', async () => {
    const storage = withStorageFaults(new MemoryStorage(), [{ nth: 3, when: 'after' }]);
    await storage.close();
    await expect(storage.load()).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
