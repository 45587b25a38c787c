/** What a storage keeps when it is opened, read, closed and opened again. */
import type { ClientStorage } from '../client-storage.js';
import { sampleConflict, sampleDeadLetter, sampleEntry, sampleMeta, sampleRecord } from './storage-samples.js';
import type { StorageTests } from './storage-tests.contract.js';

/** Declares these tests for one implementation; part of `storageContract`. */
export function lifetimeContract({ fixture, storageTest, expect }: StorageTests): void {
  storageTest('is empty before anything is stored', async ({ storage }) => {
    expect(await storage.load()).toEqual({ meta: null, entries: [], conflicts: [], deadLetters: [] });
    expect(await storage.listRecords('task')).toEqual([]);
    expect(await storage.getRecords([{ objectName: 'task', recordId: 'task-1' }])).toEqual([undefined]);
  });

  storageTest('needs no load before it is used', async ({ storage }) => {
    await storage.commit({ putRecords: [sampleRecord()] });
    expect(await storage.listRecords('task')).toEqual([sampleRecord()]);
  });

  storageTest('tells after reopening all that was committed', async (session) => {
    const batch = {
      meta: sampleMeta({ checkpoint: 'c1', nextSequence: 9, walk: 'walk-1', user: 'ada' }),
      putEntries: [sampleEntry('m1')],
      putConflicts: [sampleConflict('m2')],
      putDeadLetters: [sampleDeadLetter('m3')],
      putRecords: [sampleRecord({ walk: 'walk-1' })],
    };
    await session.storage.commit(batch);
    await session.reopen();
    expect(await session.storage.load()).toEqual({
      meta: batch.meta,
      entries: batch.putEntries,
      conflicts: batch.putConflicts,
      deadLetters: batch.putDeadLetters,
    });
    expect(await session.storage.listRecords('task')).toEqual(batch.putRecords);
  });

  storageTest('goes on where it was after each reopening', async (session) => {
    for (let round = 1; round <= 3; round++) {
      await session.storage.commit({ putEntries: [sampleEntry(`m${round}`, round)] });
      await session.reopen();
      expect((await session.storage.load()).entries).toHaveLength(round);
    }
  });

  storageTest('keeps what was committed when the caller changes what it handed in', async ({ storage }) => {
    const record = { ...sampleRecord(), data: { title: 'as committed', tags: ['a'] } };
    const batch = { putRecords: [record], putEntries: [sampleEntry('m1')] };
    const committed = storage.commit(batch);
    record.data.title = 'changed while committing';
    batch.putEntries.pop();
    await committed;
    record.data.tags.push('changed after committing');
    expect(await storage.listRecords('task')).toEqual([sampleRecord({ data: { title: 'as committed', tags: ['a'] } })]);
    expect((await storage.load()).entries).toEqual([sampleEntry('m1')]);
  });

  storageTest('keeps what was committed when the caller changes what it was handed', async ({ storage }) => {
    await storage.commit({ meta: sampleMeta(), putRecords: [sampleRecord()], putEntries: [sampleEntry('m1')] });
    const read = async () => [
      await storage.load(),
      await storage.listRecords('task'),
      await storage.getRecords([sampleRecord()]),
    ];
    const before = structuredClone(await read());
    spoil(await read());
    expect(await read()).toEqual(before);
  });

  storageTest('finishes what was committed before it is closed', async (session) => {
    const { storage } = session;
    const finished: number[] = [];
    for (const sequence of [1, 2, 3]) {
      void storage.commit({ putEntries: [sampleEntry(`m${sequence}`, sequence)] }).then(() => finished.push(sequence));
    }
    await storage.close();
    // A wrapper that passes on the end of a batch takes turns of its own.
    for (let turn = 0; turn < 10; turn++) await undefined;
    expect(finished).toEqual([1, 2, 3]);
    if (fixture.keeps === 'nothing') return;
    await session.reopen();
    expect((await session.storage.load()).entries).toHaveLength(3);
  });

  storageTest(
    'can be closed again, also before it was used, and then refuses everything else as CLOSED',
    async ({ storage }) => {
      await Promise.all([storage.close(), storage.close()]);
      await storage.close();
      const calls: readonly ((closed: ClientStorage) => Promise<unknown>)[] = [
        (closed) => closed.load(),
        (closed) => closed.commit({}),
        (closed) => closed.getRecords([]),
        (closed) => closed.listRecords('task'),
      ];
      for (const call of calls)
        await expect(call(storage)).rejects.toMatchObject({ name: 'StorageError', code: 'CLOSED' });
    },
  );

  if (fixture.loadReads === 'pending') {
    storageTest('loads at the cost of what is pending, not of what is stored', async (session) => {
      for (let page = 0; page < 20; page++) {
        await session.storage.commit({
          putRecords: Array.from({ length: 500 }, (_, index) => sampleRecord({ recordId: page * 500 + index })),
        });
      }
      await session.storage.commit({ meta: sampleMeta(), putEntries: [sampleEntry('m1')] });
      await session.reopen();
      await session.storage.load();
      const load = await quickest(() => session.storage.load());
      const list = await quickest(() => session.storage.listRecords('task'));
      // The list reads 10,000 records and is 100 times slower; a load that read them would take as long.
      expect(load).toBeLessThan(list / 4);
    });
  }
}

/** Tries to change every object it reaches. */
function spoil(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const part of Object.values(value)) spoil(part);
  if (Object.isFrozen(value)) return;
  if (Array.isArray(value)) value.push('spoilt');
  else Object.assign(value, { spoilt: true });
}

/** The best of a few runs in milliseconds: the one that the machine disturbed least. */
async function quickest(work: () => Promise<unknown>): Promise<number> {
  let bestMs = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 5; run++) {
    const start = performance.now();
    await work();
    bestMs = Math.min(bestMs, performance.now() - start);
  }
  return bestMs;
}
