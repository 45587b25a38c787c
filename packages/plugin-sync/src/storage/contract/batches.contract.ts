/** What becomes of a batch: all of it, in its order, or nothing. */
import { CheckpointMovedError, RevisionMovedError } from '../client-storage.js';
import { sampleConflict, sampleDeadLetter, sampleEntry, sampleMeta, sampleRecord } from './storage-samples.js';
import type { StorageTests } from './storage-tests.contract.js';

/** Declares these tests for one implementation; part of `storageContract`. */
export function batchContract({ storageTest, expect }: StorageTests): void {
  storageTest('lists entries by sequence, and what waits by age, in whatever order they came', async (session) => {
    await session.storage.commit({
      putEntries: [sampleEntry('a', 10), sampleEntry('b', 9), sampleEntry('c', 100)],
      putConflicts: [sampleConflict('a', 30), sampleConflict('b', 20)],
      putDeadLetters: [sampleDeadLetter('a', 3000), sampleDeadLetter('b', 200)],
    });
    await session.storage.commit({ putEntries: [sampleEntry('z', 2)], putConflicts: [sampleConflict('z', 7)] });
    await session.reopen();
    const { entries, conflicts, deadLetters } = await session.storage.load();
    expect(entries.map((entry) => entry.mutation.id)).toEqual(['z', 'b', 'a', 'c']);
    expect(conflicts.map((conflict) => conflict.id)).toEqual(['z', 'b', 'a']);
    expect(deadLetters.map((letter) => letter.id)).toEqual(['b', 'a']);
  });

  storageTest('replaces what has the same id', async (session) => {
    const { storage } = session;
    await storage.commit({
      putEntries: [sampleEntry('m1', 1)],
      putConflicts: [sampleConflict('m1', 1)],
      putDeadLetters: [sampleDeadLetter('m1', 1)],
      putRecords: [sampleRecord({ data: { title: 'old', gone: true } })],
    });
    const retried = { ...sampleEntry('m1', 5), tries: 3 };
    await storage.commit({
      putEntries: [retried],
      putConflicts: [sampleConflict('m1', 2)],
      putDeadLetters: [sampleDeadLetter('m1', 2)],
      putRecords: [sampleRecord({ version: 2, data: { title: 'new' } })],
    });
    await session.reopen();
    expect(await session.storage.load()).toEqual({
      meta: null,
      entries: [retried],
      conflicts: [sampleConflict('m1', 2)],
      deadLetters: [sampleDeadLetter('m1', 2)],
    });
    expect(await session.storage.listRecords('task')).toEqual([sampleRecord({ version: 2, data: { title: 'new' } })]);
  });

  storageTest('removes by id alone, and nothing where there is nothing', async (session) => {
    const { storage } = session;
    await storage.commit({
      putEntries: [sampleEntry('m1', 1), sampleEntry('m2', 2), sampleEntry('m3', 3)],
      putConflicts: [sampleConflict('m1'), sampleConflict('m2')],
      putDeadLetters: [sampleDeadLetter('m1'), sampleDeadLetter('m2')],
      putRecords: [sampleRecord({ recordId: 'a' }), sampleRecord({ recordId: 'b' })],
    });
    await storage.commit({
      removeEntries: ['m2', 'absent'],
      removeConflicts: ['m1', 'absent'],
      removeDeadLetters: ['m2', 'absent'],
      removeRecords: [
        { objectName: 'task', recordId: 'a' },
        { objectName: 'project', recordId: 'b' },
        { objectName: 'absent', recordId: 'absent' },
      ],
    });
    await session.reopen();
    expect(await session.storage.load()).toEqual({
      meta: null,
      entries: [sampleEntry('m1', 1), sampleEntry('m3', 3)],
      conflicts: [sampleConflict('m2')],
      deadLetters: [sampleDeadLetter('m1')],
    });
    expect(await session.storage.listRecords('task')).toEqual([sampleRecord({ recordId: 'b' })]);
  });

  storageTest('applies removals before puts', async ({ storage }) => {
    await storage.commit({ putEntries: [sampleEntry('m1', 1)], putRecords: [sampleRecord()] });
    await storage.commit({
      putEntries: [sampleEntry('m1', 2)],
      removeEntries: ['m1'],
      putRecords: [sampleRecord({ version: 2 })],
      removeRecords: [sampleRecord()],
    });
    expect((await storage.load()).entries).toEqual([sampleEntry('m1', 2)]);
    expect(await storage.listRecords('task')).toEqual([sampleRecord({ version: 2 })]);
  });

  storageTest('changes nothing by an empty batch', async (session) => {
    await session.storage.commit({ meta: sampleMeta(), putRecords: [sampleRecord()] });
    await session.storage.commit({});
    await session.storage.commit({ putEntries: [], removeEntries: [], putRecords: [], removeRecords: [] });
    await session.reopen();
    expect((await session.storage.load()).meta).toEqual(sampleMeta());
    expect(await session.storage.listRecords('task')).toEqual([sampleRecord()]);
  });

  storageTest(
    'refuses a batch whose expected checkpoint is not the stored one, and leaves all as it was',
    async (session) => {
      const { storage } = session;
      const fresh = storage.commit({ expectCheckpoint: 'c1', meta: sampleMeta({ checkpoint: 'c2' }) });
      await expect(fresh).rejects.toBeInstanceOf(CheckpointMovedError);
      await storage.commit({
        expectCheckpoint: null,
        meta: sampleMeta({ checkpoint: 'c1' }),
        putEntries: [sampleEntry('m1')],
      });
      for (const expectCheckpoint of [null, 'c0', '']) {
        const refused = storage.commit({
          expectCheckpoint,
          meta: sampleMeta({ checkpoint: 'c9' }),
          putEntries: [sampleEntry('m2')],
          removeEntries: ['m1'],
          putRecords: [sampleRecord()],
          putConflicts: [sampleConflict('m3')],
        });
        await expect(refused).rejects.toBeInstanceOf(CheckpointMovedError);
      }
      await session.reopen();
      expect(await session.storage.load()).toEqual({
        meta: sampleMeta({ checkpoint: 'c1' }),
        entries: [sampleEntry('m1')],
        conflicts: [],
        deadLetters: [],
      });
      expect(await session.storage.listRecords('task')).toEqual([]);
    },
  );

  storageTest('accepts a batch that expects the stored checkpoint', async ({ storage }) => {
    await storage.commit({ meta: sampleMeta({ checkpoint: 'c1' }) });
    await storage.commit({ expectCheckpoint: 'c1', meta: sampleMeta({ checkpoint: 'c2' }) });
    await storage.commit({ expectCheckpoint: 'c2', putEntries: [sampleEntry('m1')] });
    expect((await storage.load()).entries).toEqual([sampleEntry('m1')]);
  });

  storageTest('lets one of two writers win, and refuses what the other made of the state before', async (session) => {
    const { storage } = session;
    const write = (expectRevision: number, id: string) =>
      storage.commit({
        expectRevision,
        meta: sampleMeta({ revision: expectRevision + 1 }),
        putEntries: [sampleEntry(id)],
      });
    const outcomes = await Promise.allSettled([write(0, 'a'), write(0, 'b'), write(1, 'c'), write(3, 'd')]);
    const refused = outcomes.map(
      (outcome) => outcome.status === 'rejected' && outcome.reason instanceof RevisionMovedError,
    );
    expect(refused).toEqual([false, true, false, true]);
    await session.reopen();
    const { meta, entries } = await session.storage.load();
    expect([meta, entries]).toEqual([sampleMeta({ revision: 2 }), [sampleEntry('a'), sampleEntry('c')]]);
  });

  storageTest('applies batches committed together in the order of the calls', async (session) => {
    const { storage } = session;
    await storage.commit({ meta: sampleMeta({ checkpoint: 'c0' }) });
    const outcomes = await Promise.allSettled([
      storage.commit({ putEntries: [sampleEntry('m1', 1)] }),
      storage.commit({ expectCheckpoint: 'c0', meta: sampleMeta({ checkpoint: 'c1' }) }),
      storage.commit({ removeEntries: ['m1'], putEntries: [sampleEntry('m2', 2)] }),
      storage.commit({ expectCheckpoint: 'c0', putEntries: [sampleEntry('m3', 3)] }),
      storage.commit({ expectCheckpoint: 'c1', putEntries: [sampleEntry('m4', 4)] }),
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    await session.reopen();
    expect((await session.storage.load()).entries).toEqual([sampleEntry('m2', 2), sampleEntry('m4', 4)]);
  });
}
