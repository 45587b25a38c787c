import { expect, test } from 'vitest';
import { feedOf, sampleRow, sampleState, save, task, told } from '../storage/contract/store-samples.js';
import { MemoryStore } from '../storage/memory/memory-store.js';
import type { SyncStore } from '../storage/sync-store.js';
import { InjectedFault, type StoreFault, withStoreFaults } from './store-faults.js';

test('does what the store does as long as no fault is due', async () => {
  const store = withStoreFaults(new MemoryStore(), [{ nth: 99, when: 'before' }]);
  const heads: number[] = [];
  await store.open();
  store.onCommit((head) => heads.push(head));
  await push(store);
  expect((await store.page({ after: 0, limit: 10 })).records).toEqual([told(sampleState(), 1)]);
  expect(await store.prune({ before: 0, limit: 10 })).toEqual({ removed: 0 });
  await store.changeEpoch();
  await store.close();
  expect(heads).toEqual([1]);
  expect(store.steps).toEqual([
    'open',
    'begin',
    'load',
    'savepoint',
    'save',
    'commit',
    'page',
    'prune',
    'changeEpoch',
    'close',
  ]);
});

test('leaves all or nothing of a transaction, whichever step fails', async () => {
  const kept: string[] = [];
  for (const when of ['before', 'after'] as const) {
    for (const nth of [1, 2, 3, 4, 5]) {
      const inner = await openMemoryStore();
      const faulty = withStoreFaults(inner, [{ nth, when }]);
      await expect(push(faulty)).rejects.toThrow(InjectedFault);
      kept.push(`${when} ${faulty.steps.at(-1)}: ${(await feedOf(inner)).length}`);
    }
  }
  expect(kept).toEqual([
    'before begin: 0',
    'before load: 0',
    'before savepoint: 0',
    'before save: 0',
    'before commit: 0',
    'after begin: 0',
    'after load: 0',
    'after savepoint: 0',
    'after save: 0',
    'after commit: 1',
  ]);
});

test('counts the steps of one kind alone where a kind is named, and throws the planned error', async () => {
  const error = new Error('planned');
  const faults: readonly StoreFault[] = [{ nth: 2, step: 'page', when: 'before', error }];
  const store = withStoreFaults(await openMemoryStore(), faults);
  await save(store, { records: [sampleState()] });
  await store.page({ after: 0, limit: 1 });
  await expect(store.page({ after: 0, limit: 1 })).rejects.toBe(error);
  await store.page({ after: 0, limit: 1 });
});

test('fails after the work was done, or before it was begun', async () => {
  const inner = await openMemoryStore();
  const { facts } = await inner.page({ after: 0, limit: 1 });
  const early = withStoreFaults(inner, [{ nth: 1, step: 'changeEpoch', when: 'before' }]);
  await expect(early.changeEpoch()).rejects.toThrow('Fault injected before step 1 (changeEpoch).');
  expect((await inner.page({ after: 0, limit: 1 })).facts).toEqual(facts);
  const late = withStoreFaults(inner, [{ nth: 1, step: 'changeEpoch', when: 'after' }]);
  await expect(late.changeEpoch()).rejects.toThrow('Fault injected after step 1 (changeEpoch).');
  expect((await inner.page({ after: 0, limit: 1 })).facts.epoch).not.toBe(facts.epoch);
});

async function openMemoryStore(): Promise<SyncStore> {
  const store = new MemoryStore();
  await store.open();
  return store;
}

/** One transaction with every step in it. */
async function push(store: SyncStore): Promise<void> {
  await store.transaction(async (transaction) => {
    await transaction.load({ records: [task('task-1')], mutationIds: [] });
    await transaction.savepoint(async () => {});
    await transaction.save({ records: [sampleState()], ledger: [sampleRow('mutation-1', { logId: null })] });
  });
}
