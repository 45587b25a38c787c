/** Opening, closing, and what a store finds again. */
import type { SyncStore } from '../sync-store.js';
import {
  feedOf,
  look,
  sampleIntent,
  sampleLog,
  sampleRow,
  sampleState,
  sampleTombstone,
  save,
  task,
  told,
} from './store-samples.js';
import type { StoreTests } from './store-tests.contract.js';

/** Declares these tests for one implementation; part of `storeContract`. */
export function lifetimeContract({ storeTest, storeTestWith, expect }: StoreTests): void {
  storeTest('starts empty, with an epoch of its own', async ({ store }) => {
    const { facts, records } = await store.page({ after: 0, limit: 10 });
    expect({ facts, records }).toEqual({
      facts: { epoch: facts.epoch, head: 0, floor: 0, versionFloor: 0 },
      records: [],
    });
    expect(facts.epoch).toMatch(/^[A-Za-z0-9-]{8,64}$/);
  });

  storeTest('keeps everything when it is opened again while open', async ({ store }) => {
    await save(store, { records: [sampleState()] });
    const { facts } = await store.page({ after: 0, limit: 10 });
    await Promise.all([store.open(), store.open()]);
    expect(await store.page({ after: 0, limit: 10 })).toEqual({ facts, records: [told(sampleState(), 1)] });
  });

  storeTest('changes its epoch on demand, and nothing else', async ({ store }) => {
    await save(store, { records: [sampleState()] });
    const { facts, records } = await store.page({ after: 0, limit: 10 });
    const epoch = await store.changeEpoch();
    expect(epoch).not.toBe(facts.epoch);
    expect(await store.page({ after: 0, limit: 10 })).toEqual({ facts: { ...facts, epoch }, records });
    expect((await look(store, {})).facts).toEqual({ ...facts, epoch });
    expect(await store.changeEpoch()).not.toBe(epoch);
  });

  storeTest('refuses work once it is closed, and closes twice', async ({ store }) => {
    await store.close();
    await store.close();
    for (const work of uses(store)) await expect(work()).rejects.toThrow('not open');
    await store.open();
    expect(await feedOf(store)).toEqual([]);
  });

  storeTest('lets a transaction end that was under way when it is closed', async ({ store }) => {
    const steps: string[] = [];
    const written = store.transaction(async (transaction) => {
      await transaction.load({ records: [task('task-1')], mutationIds: [] });
      await transaction.save({ records: [sampleState()] });
      steps.push('saved');
    });
    const closed = store.close().then(() => steps.push('closed'));
    await Promise.all([written, closed]);
    await store.open();
    expect([steps, await feedOf(store)]).toEqual([['saved', 'closed'], [told(sampleState(), 1)]]);
  });

  storeTestWith('reopen', 'finds everything again after it was closed', async ({ store, reopen }) => {
    const log = sampleLog({ floor: 1 });
    await save(store, {
      records: [sampleState(), sampleTombstone('gone', 1, 5), sampleTombstone('young', 1000)],
      ledger: [sampleRow('mutation-1', { at: 1000 })],
      log,
      intents: [sampleIntent()],
    });
    await store.prune({ before: 100, limit: 10 });
    const epoch = await store.changeEpoch();
    const reopened = await reopen();
    const loaded = await look(reopened, {
      records: [task('task-1'), task('gone'), task('young')],
      mutationIds: ['mutation-1'],
      log: { logId: 'log-1', sequences: [] },
    });
    expect({ ...loaded, records: loaded.records.toSorted((a, b) => a.place - b.place) }).toEqual({
      facts: { epoch, head: 3, floor: 2, versionFloor: 5 },
      records: [
        { ...sampleState(), place: 1 },
        { ...sampleTombstone('young', 1000), place: 3 },
      ],
      ledger: [sampleRow('mutation-1', { at: 1000 })],
      log,
      formerLogs: [],
      intents: [sampleIntent()],
    });
    await save(reopened, { records: [sampleState({ version: 2 })] });
    expect((await feedOf(reopened)).map(({ place }) => place)).toEqual([3, 4]);
  });

  storeTestWith('openAnother', 'shows two processes the same', async ({ store, openAnother }) => {
    await using another = await openAnother();
    await save(store, { records: [sampleState()] });
    await save(another, { records: [sampleState({ recordId: 'task-2' })] });
    const page = await store.page({ after: 0, limit: 10 });
    expect(page.records.map(({ recordId }) => recordId)).toEqual(['task-1', 'task-2']);
    expect(await another.page({ after: 0, limit: 10 })).toEqual(page);
  });

  storeTestWith('makeNewer', 'refuses what a later release has written, and says so', async ({ store, makeNewer }) => {
    await store.close();
    await makeNewer();
    await expect(store.open()).rejects.toMatchObject({ name: 'NewerSchemaError' });
    await expect(store.open()).rejects.toThrow(/schema is version \d+, .* up to \d+\. Upgrade/);
    for (const work of uses(store)) await expect(work()).rejects.toThrow('not open');
  });
}

/** Everything that needs an open store. */
function uses(store: SyncStore): readonly (() => Promise<unknown>)[] {
  return [
    () => store.transaction(async () => {}),
    () => store.page({ after: 0, limit: 1 }),
    () => store.prune({ before: 0, limit: 1 }),
    () => store.changeEpoch(),
  ];
}
