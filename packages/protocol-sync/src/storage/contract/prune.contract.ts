/** What retention drops, what it leaves, and which floors it raises. */
import type { SyncStore } from '../sync-store.js';
import { feedOf, look, sampleLog, sampleRow, sampleState, sampleTombstone, save, told } from './store-samples.js';
import type { StoreTests } from './store-tests.contract.js';

/** Declares these tests for one implementation; part of `storeContract`. */
export function pruneContract({ storeTest, expect }: StoreTests): void {
  storeTest('drops tombstones older than the retention, and no live record', async ({ store }) => {
    await save(store, {
      records: [
        sampleTombstone('old', 99),
        sampleState({ recordId: 'live', changedAt: 1 }),
        sampleTombstone('just in time', 100),
        sampleTombstone('young', 101),
      ],
    });
    expect(await store.prune({ before: 100, limit: 10 })).toEqual({ removed: 1 });
    expect((await feedOf(store)).map(({ recordId }) => recordId)).toEqual(['live', 'just in time', 'young']);
    expect(await store.prune({ before: 100, limit: 10 })).toEqual({ removed: 0 });
  });

  storeTest('raises floor and version floor to the highest it dropped', async ({ store }) => {
    await save(store, {
      records: [sampleTombstone('a', 1, 7), sampleTombstone('b', 2, 3), sampleTombstone('c', 1000, 99)],
    });
    await store.prune({ before: 100, limit: 10 });
    const { facts } = await store.page({ after: 0, limit: 1 });
    expect(facts).toEqual({ epoch: facts.epoch, head: 3, floor: 2, versionFloor: 7 });
    await save(store, { records: [sampleTombstone('d', 2, 2)] });
    await store.prune({ before: 100, limit: 10 });
    expect((await store.page({ after: 0, limit: 1 })).facts).toEqual({ ...facts, head: 4, floor: 4 });
  });

  storeTest('lowers no floor when it drops what stands before what it dropped already', async ({ store }) => {
    await save(store, { records: [sampleTombstone('a', 50, 3), sampleTombstone('b', 10, 7)] });
    await store.prune({ before: 20, limit: 10 });
    await store.prune({ before: 100, limit: 10 });
    const { facts } = await store.page({ after: 0, limit: 1 });
    expect(facts).toEqual({ epoch: facts.epoch, head: 2, floor: 2, versionFloor: 7 });
  });

  storeTest('drops at most a slice at a time, the oldest first', async ({ store }) => {
    const ages = [50, 20, 40, 10, 30];
    await save(store, {
      records: ages.map((age) => sampleTombstone(`t${age}`, age)),
      ledger: ages.map((age) => sampleRow(`m${age}`, { sequence: age, at: age })),
      log: sampleLog(),
    });
    const left: unknown[] = [];
    for (let removed = 2; removed >= 2; left.push([removed, await agesLeft(store)])) {
      removed = (await store.prune({ before: 45, limit: 2 })).removed;
    }
    expect(left).toEqual([
      [4, [30, 40, 50]],
      [4, [50]],
      [0, [50]],
    ]);

    /** Ages of the tombstones, which are those of the ledger rows too. */
    async function agesLeft(of: SyncStore) {
      const tombstones = (await feedOf(of)).map(({ changedAt }) => changedAt).toSorted((a, b) => a - b);
      const { ledger } = await look(of, { mutationIds: ages.map((age) => `m${age}`) });
      expect(ledger.map(({ at }) => at).toSorted((a, b) => a - b)).toEqual(tombstones);
      return tombstones;
    }
  });

  storeTest("raises each log's floor to the highest sequence it forgot", async ({ store }) => {
    await save(store, { log: sampleLog({ logId: 'log-2', floor: 50 }) });
    await save(store, {
      ledger: [
        sampleRow('a', { sequence: 4, at: 1 }),
        sampleRow('b', { sequence: 9, at: 2 }),
        sampleRow('c', { sequence: 8, at: 500 }),
        sampleRow('just in time', { sequence: 12, at: 100 }),
        sampleRow('d', { logId: 'log-2', sequence: 5, at: 1 }),
        sampleRow('e', { logId: null, sequence: 99, at: 1 }),
        sampleRow('f', { sequence: 7, at: 3 }),
      ],
      log: sampleLog(),
    });
    expect(await store.prune({ before: 100, limit: 10 })).toEqual({ removed: 5 });
    const first = await look(store, {
      mutationIds: ['a', 'b', 'c', 'd', 'e', 'f'],
      log: { logId: 'log-1', sequences: [4, 8, 12] },
    });
    expect(first.ledger.map(({ mutationId }) => mutationId).toSorted()).toEqual(['c', 'just in time']);
    expect(first.log).toEqual(sampleLog({ floor: 9 }));
    expect((await look(store, { log: { logId: 'log-2', sequences: [] } })).log).toEqual(
      sampleLog({ logId: 'log-2', floor: 50 }),
    );
  });

  storeTest('takes a dropped id, and a dropped record, as new', async ({ store }) => {
    const request = { records: [sampleTombstone('t', 1)], ledger: [sampleRow('m', { at: 1 })], log: sampleLog() };
    await save(store, request);
    await store.prune({ before: 100, limit: 10 });
    await save(store, request);
    expect(await feedOf(store)).toEqual([told(sampleTombstone('t', 1), 2)]);
    expect((await look(store, { mutationIds: ['m'] })).ledger).toEqual(request.ledger);
  });

  storeTest('drops a record no more that was written again', async ({ store }) => {
    await save(store, { records: [sampleTombstone('t', 1)] });
    await save(store, { records: [sampleState({ recordId: 't', version: 3, changedAt: 2 })] });
    expect(await store.prune({ before: 100, limit: 10 })).toEqual({ removed: 0 });
    expect((await store.page({ after: 0, limit: 1 })).facts).toMatchObject({ head: 2, floor: 0, versionFloor: 0 });
  });
}
