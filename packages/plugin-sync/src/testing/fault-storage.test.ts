import { describe, expect, it } from 'vitest';
import { sampleEntry } from '../storage/contract/storage-samples.js';
import { MemoryStorage } from '../storage/memory-storage.js';
import { storageContract } from '../storage/storage.contract.js';
import { FaultStorage, type StorageOperation } from './fault-storage.js';

storageContract(
  'FaultStorage without faults',
  {
    keeps: 'nothing',
    loadReads: 'pending',
    newPlace: async () => ({ open: () => new FaultStorage(new MemoryStorage()), remove: async () => {} }),
  },
  { describe, it, expect },
);

describe('a fault storage', () => {
  const FULL = new Error('The disk is full.');
  const PLANNED = { name: 'StorageError', code: 'FAILED' };
  const CALLS: Readonly<Record<StorageOperation, (storage: FaultStorage) => Promise<unknown>>> = {
    load: (storage) => storage.load(),
    commit: (storage) => storage.commit({}),
    getRecords: (storage) => storage.getRecords([]),
    listRecords: (storage) => storage.listRecords('task'),
    close: (storage) => storage.close(),
  };
  const calls = Object.entries(CALLS) as [StorageOperation, (typeof CALLS)['load']][];
  const put = (n: number) => ({ putEntries: [sampleEntry(`m${n}`, n)] });

  for (const [operation, call] of calls) {
    it(`lets ${operation} fail until it is healed`, async () => {
      const storage = new FaultStorage(new MemoryStorage());
      storage.fail(operation, FULL);
      await expect(call(storage)).rejects.toBe(FULL);
      storage.heal();
      await expect(call(storage)).resolves.toEqual(await call(new FaultStorage(new MemoryStorage())));
    });

    it(`lets the first ${operation} fail as planned, and no other`, async () => {
      const storage = new FaultStorage(new MemoryStorage(), [{ nth: 1, of: operation, when: 'before' }]);
      await expect(call(storage)).rejects.toMatchObject(PLANNED);
      await call(storage);
      expect(storage.operations).toEqual([operation, operation]);
    });
  }

  it('stores nothing of a batch that it let fail', async () => {
    const storage = new FaultStorage(new MemoryStorage());
    storage.fail('commit', FULL);
    await storage.commit({ removeEntries: ['mutation-1'] }).catch(() => {});
    expect(storage.commits).toEqual([]);
  });

  it('is shared by tabs, and tells that its data was taken away, as the storage itself', () => {
    let lose = () => {};
    const inner = Object.assign(new MemoryStorage(), {
      sharedName: 'app',
      onLost(listener: () => void) {
        lose = listener;
      },
    });
    const storage = new FaultStorage(inner);
    let isLost = false;
    storage.onLost(() => {
      isLost = true;
    });
    lose();
    expect([storage.sharedName, new FaultStorage(new MemoryStorage()).sharedName, isLost]).toEqual([
      'app',
      undefined,
      true,
    ]);
  });

  it('lets only those calls fail that a hook throws for, and stores nothing of them', async () => {
    const storage = new FaultStorage(new MemoryStorage());
    storage.before('commit', ({ putEntries = [] }) => {
      if (putEntries.length > 0) throw FULL;
    });
    await expect(storage.commit(put(1))).rejects.toBe(FULL);
    await storage.commit({ removeEntries: ['m1'] });
    expect(storage.commits).toEqual([{ removeEntries: ['m1'] }]);
  });

  it('lets calls wait for a hook, and later calls no more once it is healed', async () => {
    const storage = new FaultStorage(new MemoryStorage());
    let goOn = () => {};
    storage.before('commit', () => new Promise<void>((resolve) => (goOn = resolve)));
    const held = storage.commit(put(1));
    storage.heal();
    await storage.commit(put(2));
    const whileHeld = storage.commits.length;
    goOn();
    await held;
    expect([whileHeld, storage.commits]).toEqual([1, [put(2), put(1)]]);
  });

  it('fails the n-th operation of all before it is done', async () => {
    const storage = new FaultStorage(new MemoryStorage(), [{ nth: 2, when: 'before' }]);
    await storage.load();
    await expect(storage.commit(put(1))).rejects.toMatchObject(PLANNED);
    await storage.commit(put(2));
    expect((await storage.load()).entries).toEqual([sampleEntry('m2', 2)]);
    expect(storage.operations).toEqual(['load', 'commit', 'commit', 'load']);
  });

  it('fails the n-th operation of a kind after it is done', async () => {
    const storage = new FaultStorage(new MemoryStorage(), [{ nth: 2, of: 'commit', when: 'after' }]);
    await storage.commit(put(1));
    await storage.load();
    await expect(storage.commit(put(2))).rejects.toMatchObject(PLANNED);
    expect((await storage.load()).entries).toEqual([sampleEntry('m1', 1), sampleEntry('m2', 2)]);
  });

  it('hands errors of the storage itself through', async () => {
    const storage = new FaultStorage(new MemoryStorage(), [{ nth: 3, when: 'after' }]);
    await storage.close();
    await expect(storage.load()).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
