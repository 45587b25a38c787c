/** How records stand in the feed, how pages read it, and who is told when it moves. */
import type { PageQuery, SyncStore } from '../sync-store.js';
import { feedOf, sampleRow, sampleState, sampleTombstone, save, told } from './store-samples.js';
import type { StoreTests } from './store-tests.contract.js';

/** Declares these tests for one implementation; part of `storeContract`. */
export function feedContract({ storeTest, storeTestWith, expect }: StoreTests): void {
  storeTest('gives places from 1 in the order of saving, across transactions', async ({ store }) => {
    await save(store, { records: ['c', 'a'].map((recordId) => sampleState({ recordId })) });
    await save(store, { records: ['b'].map((recordId) => sampleState({ recordId })) });
    expect(await places(store)).toEqual(['c 1', 'a 2', 'b 3']);
  });

  storeTest('moves a record that is saved again to a new place, where it stands once', async ({ store }) => {
    await save(store, { records: ['a', 'b', 'c'].map((recordId) => sampleState({ recordId })) });
    await save(store, { records: [sampleState({ recordId: 'b', version: 2 }), sampleTombstone('a', 1)] });
    expect(await places(store)).toEqual(['c 3', 'b 4', 'a 5']);
    expect((await feedOf(store)).slice(1)).toEqual([
      told(sampleState({ recordId: 'b', version: 2 }), 4),
      told(sampleTombstone('a', 1), 5),
    ]);
  });

  storeTest('takes no place for a transaction that saves no record or is rolled back', async ({ store }) => {
    await save(store, { ledger: [sampleRow('mutation-1', { logId: null })] });
    await save(store, {
      records: [sampleState()],
      ledger: [sampleRow('mutation-1', { logId: null })],
    }).catch(() => {});
    await save(store, { records: [sampleState()] });
    expect(await places(store)).toEqual(['task-1 1']);
    expect((await store.page({ after: 0, limit: 1 })).facts.head).toBe(1);
  });

  storeTest('pages through all of the feed once, whatever the page size', async ({ store }) => {
    await save(store, { records: Array.from({ length: 7 }, (_, recordId) => sampleState({ recordId })) });
    await save(store, { records: [3, 0].map((recordId) => sampleState({ recordId, version: 2 })) });
    for (const limit of [1, 2, 3, 5, 6, 7, 100]) {
      expect(await walk(store, { limit })).toEqual([1, 2, 4, 5, 6, 3, 0]);
    }
  });

  storeTest('pages through the records of the objects asked for', async ({ store }) => {
    await save(store, {
      records: Array.from({ length: 12 }, (_, recordId) =>
        sampleState({ objectName: ['task', 'project', 'note'][recordId % 3] ?? '', recordId }),
      ),
    });
    for (const limit of [1, 2, 3, 100]) {
      expect(await walk(store, { limit, objects: ['note', 'task'] })).toEqual([0, 2, 3, 5, 6, 8, 9, 11]);
      expect(await walk(store, { limit, objects: ['project', 'absent', 'project'] })).toEqual([1, 4, 7, 10]);
      expect(await walk(store, { limit, objects: [] })).toEqual([]);
    }
    const many = Array.from({ length: 600 }, (_, index) => `object-${index}`);
    expect(await walk(store, { limit: 3, objects: [...many, 'project'] })).toEqual([1, 4, 7, 10]);
  });

  storeTest('tells the facts with every page, also with an empty one', async ({ store }) => {
    const { facts } = await store.page({ after: 0, limit: 10 });
    expect(facts).toEqual({ epoch: facts.epoch, head: 0, floor: 0, versionFloor: 0 });
    await save(store, { records: [sampleState(), sampleState({ recordId: 'task-2' })] });
    expect(await store.page({ after: 2, limit: 10 })).toEqual({ facts: { ...facts, head: 2 }, records: [] });
    expect(await store.page({ after: 99, limit: 10 })).toEqual({ facts: { ...facts, head: 2 }, records: [] });
  });

  storeTest('tells listeners the head after each commit that moved it', async ({ store }) => {
    const heads: number[] = [];
    const stop = store.onCommit((head) => heads.push(head));
    await save(store, { records: [sampleState(), sampleState({ recordId: 'task-2' })] });
    await save(store, { ledger: [sampleRow('mutation-1', { logId: null })] });
    await save(store, { records: [sampleState()], ledger: [sampleRow('mutation-1', { logId: null })] }).catch(() => {});
    await save(store, { records: [sampleState({ version: 2 })] });
    await store.page({ after: 0, limit: 1 });
    expect(heads).toEqual([2, 3]);
    stop();
    await save(store, { records: [sampleState({ version: 3 })] });
    await store.page({ after: 0, limit: 1 });
    expect(heads).toEqual([2, 3]);
  });

  storeTest('shows a listener the commit it is told of', async ({ store }) => {
    const seen = new Promise((resolve) => {
      store.onCommit(() => resolve(store.page({ after: 0, limit: 10 })));
    });
    await save(store, { records: [sampleState()] });
    expect(await seen).toMatchObject({ facts: { head: 1 }, records: [{ place: 1 }] });
  });

  storeTestWith('openAnother', 'tells listeners of what another process commits', async ({ store, openAnother }) => {
    await using another = await openAnother();
    for (const version of [1, 2]) {
      const told = new Promise((resolve) => {
        store.onCommit((head) => head === version && resolve(head));
      });
      await save(another, { records: [sampleState({ version })] });
      expect(await told).toBe(version);
    }
    expect(await places(store)).toEqual(['task-1 2']);
  });

  storeTestWith('openAnother', 'loses no update between two processes', async ({ store, openAnother }) => {
    await using another = await openAnother();
    await Promise.all(Array.from({ length: 8 }, (_, index) => countUp(index % 2 ? store : another)));
    expect((await feedOf(another)).map(({ version, place }) => [version, place])).toEqual([[8, 8]]);
  });
}

function countUp(store: SyncStore): Promise<void> {
  return store.transaction(async (transaction) => {
    const { records } = await transaction.load({ records: [sampleState()], mutationIds: [] });
    const version = (records[0]?.version ?? 0) + 1;
    await transaction.save({ records: [sampleState({ version })] });
  });
}

async function places(store: SyncStore): Promise<readonly string[]> {
  return (await feedOf(store)).map(({ recordId, place }) => `${recordId} ${place}`);
}

/** The record ids that a client sees which reads page after page. */
async function walk(store: SyncStore, query: Omit<PageQuery, 'after'>): Promise<readonly (string | number)[]> {
  const ids: (string | number)[] = [];
  for (let after = 0; ; ) {
    const { records } = await store.page({ ...query, after });
    if (records.length > query.limit)
      throw new Error(`A page of ${records.length} was read where ${query.limit} is the limit.`);
    const last = records.at(-1);
    if (!last) return ids;
    ids.push(...records.map(({ recordId }) => recordId));
    after = last.place;
  }
}
