/** What every `ClientStorage` promises, as a test suite that each implementation runs on its real engine. */
import type { RecordRef } from '@objectql/sync-types';
import { describe, expect, it } from 'vitest';
import { CheckpointMovedError, type ClientStorage } from './client-storage.js';
import { type StorageFixture, withStorage } from './storage-fixture.js';
import { storageLaws } from './storage-laws.contract.js';
import { sampleConflict, sampleDeadLetter, sampleEntry, sampleMeta, sampleRecord } from './storage-samples.js';

/**
 * Declares the suite for one implementation.
 *
 * ```ts
 * storageContract('MemoryStorage', {
 *   keeps: 'nothing',
 *   loadReads: 'pending',
 *   newPlace: async () => ({ open: () => new MemoryStorage(), remove: async () => {} }),
 * });
 * ```
 */
export function storageContract(name: string, fixture: StorageFixture): void {
  const storageTest = (title: string, work: Parameters<typeof withStorage>[1]) =>
    it(title, () => withStorage(fixture, work));

  describe(`${name} as a client storage`, () => {
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

    storageTest('keeps records apart that differ in id, type of id or object only', async (session) => {
      const names = ['task', 'Task', 'task"', 'task:1', 'constructor', '__proto__', 'ü', ''];
      const ids = [
        1,
        '1',
        0,
        '0',
        -1,
        1.5,
        2 ** 53 - 1,
        '',
        ' ',
        'a:b',
        "it's",
        '"1"',
        '[1]',
        'null',
        'ü',
        'u\u0308',
        '𝄞',
      ];
      const records = names.flatMap((objectName) =>
        ids.map((recordId, version) => sampleRecord({ objectName, recordId, version })),
      );
      await session.storage.commit({ putRecords: records });
      await session.reopen();
      expect(await session.storage.getRecords(records)).toEqual(records);
      await session.storage.commit({ removeRecords: [{ objectName: 'task', recordId: '1' }] });
      expect(await session.storage.getRecords(records)).toEqual(
        records.map((record) => (record.objectName === 'task' && record.recordId === '1' ? undefined : record)),
      );
    });

    storageTest('keeps every field name and every JSON value', async (session) => {
      const data = JSON.parse(`{
        "constructor": "c", "toString": 1, "hasOwnProperty": null, "length": 3, "a.b": {}, "": [], "0": "zero",
        "it's": "quoted \\" and ; -- and \\n", "ü": "日本語 𝄞 e\u0301", "deep": [[[{"x": [1, 2.5, -1e-7, 1e300, true]}]]]
      }`);
      await session.storage.commit({ putRecords: [sampleRecord({ data })] });
      await session.reopen();
      const [record] = await session.storage.getRecords([sampleRecord()]);
      expect(JSON.parse(JSON.stringify(record?.data))).toEqual(data);
      expect(Object.keys(record?.data ?? {}).sort()).toEqual(Object.keys(data).sort());
    });

    storageTest('answers records in the order asked for, twice when asked twice', async ({ storage }) => {
      const [a, b] = [sampleRecord({ recordId: 'a' }), sampleRecord({ recordId: 'b' })];
      await storage.commit({ putRecords: [a, b] });
      const absent: RecordRef = { objectName: 'task', recordId: 'absent' };
      expect(await storage.getRecords([b, absent, a, b])).toEqual([b, undefined, a, b]);
      expect(await storage.getRecords([])).toEqual([]);
    });

    storageTest('lists the records of one object', async ({ storage }) => {
      const tasks = [sampleRecord({ recordId: 'a' }), sampleRecord({ recordId: 2 })];
      const others = ['tas', 'task2', 'project'].map((objectName) => sampleRecord({ objectName }));
      await storage.commit({ putRecords: [...tasks, ...others] });
      expect(byId(await storage.listRecords('task'))).toEqual(byId(tasks));
    });

    storageTest('sweeps the records of all objects that a walk did not see, the new puts included', async (session) => {
      const { storage } = session;
      const record = (recordId: string, walk: string | null, objectName = 'task') =>
        sampleRecord({ objectName, recordId, walk });
      await storage.commit({
        putRecords: [record('never seen', null), record('seen before', 'w1'), record('seen', 'w2')],
      });
      await storage.commit({
        putRecords: [record('seen now', 'w2'), record('put unseen', null), record('b', 'w1', 'project')],
        sweepWalk: 'w2',
      });
      await session.reopen();
      expect(byId(await session.storage.listRecords('task'))).toEqual(
        byId([record('seen', 'w2'), record('seen now', 'w2')]),
      );
      expect(await session.storage.listRecords('project')).toEqual([]);
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

    storageTest('keeps what was committed when the caller changes what it handed in', async ({ storage }) => {
      const record = { ...sampleRecord(), data: { title: 'as committed', tags: ['a'] } };
      const batch = { putRecords: [record], putEntries: [sampleEntry('m1')] };
      const committed = storage.commit(batch);
      record.data.title = 'changed while committing';
      batch.putEntries.pop();
      await committed;
      record.data.tags.push('changed after committing');
      expect(await storage.listRecords('task')).toEqual([
        sampleRecord({ data: { title: 'as committed', tags: ['a'] } }),
      ]);
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
      const committed = [1, 2, 3].map((sequence) =>
        storage.commit({ putEntries: [sampleEntry(`m${sequence}`, sequence)] }),
      );
      await storage.close();
      await Promise.all(committed);
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

    storageLaws(fixture);
  });
}

function byId(records: readonly RecordRef[]): readonly RecordRef[] {
  return [...records].sort((a, b) => (String(a.recordId) < String(b.recordId) ? -1 : 1));
}

/** Changes every object it reaches, as far as they let it. */
function spoil(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const part of Object.values(value)) spoil(part);
  if (Object.isFrozen(value)) return;
  if (Array.isArray(value)) value.push('spoilt');
  else Object.assign(value, { spoilt: true });
}

/** The best of a few runs in milliseconds: the one the rest of the machine disturbed least. */
async function quickest(work: () => Promise<unknown>): Promise<number> {
  let bestMs = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 5; run++) {
    const start = performance.now();
    await work();
    bestMs = Math.min(bestMs, performance.now() - start);
  }
  return bestMs;
}
