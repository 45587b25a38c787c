/** How a store tells the places of its feed from those that a restored backup has lost. */
import type { PageQuery, SyncStore } from '../sync-store.js';
import { feedOf, look, sampleRow, sampleState, sampleTombstone, save } from './store-samples.js';
import type { StoreTests } from './store-tests.contract.js';

/** Declares these tests for one implementation; part of `storeContract`. */
export function epochsContract({ storeTest, storeTestWith, expect }: StoreTests): void {
  storeTest('tells how far an epoch goes: the present one to the head, an unknown one nowhere', async ({ store }) => {
    await write(store, 'a', 'b');
    const epoch = await epochOf(store);
    expect(await reachOf(store, epoch)).toBe(2);
    expect(await reachOf(store, 'unknown')).toBeUndefined();
    await write(store, 'c');
    expect([await reachOf(store, epoch), await epochOf(store)]).toEqual([3, epoch]);
  });

  storeTest('knows no epoch from before it was changed on demand', async ({ store }) => {
    await write(store, 'a');
    const before = await epochOf(store);
    const epoch = await store.changeEpoch();
    await write(store, 'b');
    expect([await reachOf(store, before), await reachOf(store, epoch)]).toEqual([undefined, 2]);
  });

  storeTest('answers the epoch and the head with what it saves', async ({ store }) => {
    const epoch = await epochOf(store);
    const saved = await store.transaction(async (transaction) => {
      await transaction.load({ records: ['a', 'b'].map((recordId) => sampleState({ recordId })), mutationIds: [] });
      return [
        await transaction.save({ ledger: [sampleRow('mutation-1', { logId: null })] }),
        await transaction.save({ records: [sampleState({ recordId: 'a' })] }),
        await transaction.save({ records: [sampleState({ recordId: 'b' })] }),
      ];
    });
    expect(saved).toEqual([undefined, { head: 1, epoch }, { head: 2, epoch }]);
  });

  storeTestWith('reopen', 'goes on with its feed when it is opened again', async ({ store, reopen }) => {
    await write(store, 'a');
    const before = await epochOf(store);
    const reopened = await reopen();
    expect([await epochOf(reopened), await reachOf(reopened, before)]).toEqual([before, 1]);
    await Promise.allSettled([failAfterSaving(reopened), failAfterSaving(reopened)]);
    expect([await epochOf(reopened), await reachOf(reopened, before)]).toEqual([before, 1]);
    await write(reopened, 'b');
    const after = await epochOf(reopened);
    await write(reopened, 'c');
    expect([await epochOf(reopened), await reachOf(reopened, after)]).toEqual([after, 3]);
    expect(await reachOf(reopened, before)).toBe(after === before ? 3 : 1);
  });

  storeTestWith('openAnother', 'has one epoch for all processes that write', async ({ store, openAnother }) => {
    await using another = await openAnother();
    await write(store, 'a');
    await write(another, 'b');
    const epoch = await epochOf(store);
    for (const process of [store, another, store, another]) await write(process, 'c');
    expect([await epochOf(store), await epochOf(another), await reachOf(another, epoch)]).toEqual([epoch, epoch, 6]);
  });

  storeTestWith(
    'backUp',
    'knows what a restored backup has lost, however far it goes on',
    async ({ store, backUp }) => {
      await write(store, 'a', 'b');
      const backup = await backUp();
      await write(store, 'c', 'd', 'e');
      const lost = await epochOf(store);
      expect(await reachOf(store, lost)).toBe(5);
      const restored = await backup.open();
      expect(await reachOf(restored, lost)).toBe(2);
      await write(restored, 'f', 'g', 'h', 'i');
      const epoch = await epochOf(restored);
      expect([await reachOf(restored, lost), await reachOf(restored, epoch)]).toEqual([2, 6]);
      expect((await feedOf(restored)).map(({ recordId }) => recordId)).toEqual(['a', 'b', 'f', 'g', 'h', 'i']);
    },
  );

  storeTestWith('backUp', 'notices a backup that is put back under it', async ({ store, backUp }) => {
    await write(store, 'a', 'b');
    const backup = await backUp();
    await write(store, 'c', 'd', 'e');
    const lost = await epochOf(store);
    await backup.putBack();
    expect(await reachOf(store, lost)).toBe(2);
    await store.transaction(async (transaction) => {
      await transaction.load({ records: ['f', 'g'].map((recordId) => sampleState({ recordId })), mutationIds: [] });
      for (const recordId of ['f', 'g']) await transaction.save({ records: [sampleState({ recordId })] });
    });
    await write(store, 'h', 'i');
    const epoch = await epochOf(store);
    expect([await reachOf(store, lost), await reachOf(store, epoch)]).toEqual([2, 6]);
  });

  storeTestWith(
    'backUp',
    'knows no epoch that a backup ended, once it was changed on demand',
    async ({ store, backUp }) => {
      const backup = await backUp();
      await write(store, 'a');
      const lost = await epochOf(store);
      await backup.putBack();
      await write(store, 'b');
      expect(await reachOf(store, lost)).toBe(0);
      await store.changeEpoch();
      expect(await reachOf(store, lost)).toBeUndefined();
    },
  );

  storeTestWith('backUp', 'goes on telling listeners when the feed has gone back', async ({ store, backUp }) => {
    const backup = await backUp();
    await write(store, 'a', 'b', 'c');
    await backup.putBack();
    const told = new Promise<number>((resolve) => {
      store.onCommit(resolve);
    });
    await write(store, 'd');
    expect(await told).toBe(1);
  });

  storeTestWith(
    'backUp',
    'goes on telling listeners of another process that is the first to write after the feed has gone back',
    async ({ store, backUp, openAnother }) => {
      if (!openAnother) return;
      await using another = await openAnother();
      const backup = await backUp();
      const isTold = (head: number) =>
        new Promise<void>((resolve) => {
          store.onCommit((told) => told === head && resolve());
        });
      const isAhead = isTold(3);
      await write(another, 'a', 'b', 'c');
      await isAhead;
      await backup.putBack();
      const isBack = isTold(1);
      await write(another, 'd');
      await isBack;
      expect(await epochOf(store)).toBe(await epochOf(another));
    },
  );

  storeTestWith('reopen', 'keeps an epoch that ended before what it drops', async ({ store, reopen }) => {
    await write(store, 'a');
    const before = await epochOf(store);
    const reopened = await reopen();
    await save(reopened, { records: [sampleTombstone('gone', 1)] });
    await reopened.prune({ before: 100, limit: 10 });
    const { facts } = await reopened.page({ after: 0, limit: 1 });
    expect([facts.floor, await reachOf(reopened, before)]).toEqual([2, facts.epoch === before ? 2 : 1]);
  });

  storeTest('keeps its epochs when it drops what is old', async ({ store }) => {
    await save(store, { records: [sampleTombstone('gone', 1)] });
    const epoch = await epochOf(store);
    await store.prune({ before: 100, limit: 10 });
    expect(await reachOf(store, epoch)).toBe(1);
  });
}

/** Both ways of asking must answer the same. */
async function reachOf(store: SyncStore, epoch: string): Promise<number | undefined> {
  const queries: PageQuery[] = [
    { after: 0, limit: 1, epoch },
    { after: 0, limit: 1, epoch, objects: [] },
  ];
  const pages = await Promise.all(queries.map((query) => store.page(query)));
  const { facts } = await look(store, { epoch });
  const found = new Set([facts, ...pages.map((page) => page.facts)].map(({ reach }) => reach));
  if (found.size > 1) throw new Error(`The epoch ${epoch} goes to ${[...found].join(' and ')}.`);
  return facts.reach;
}

async function epochOf(store: SyncStore): Promise<string> {
  return (await store.page({ after: 0, limit: 1 })).facts.epoch;
}

async function write(store: SyncStore, ...recordIds: readonly string[]): Promise<void> {
  await save(store, { records: recordIds.map((recordId) => sampleState({ recordId })) });
}

async function failAfterSaving(store: SyncStore): Promise<void> {
  await store.transaction(async (transaction) => {
    await transaction.load({ records: [sampleState()], mutationIds: [] });
    await transaction.save({ records: [sampleState()] });
    throw new Error('The work fails.');
  });
}
