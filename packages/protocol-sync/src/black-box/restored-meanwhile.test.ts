/** A database that is put back, or taken over by one that lags behind, between a push and the page that answers it. */
import { expect, it } from 'vitest';
import type { RecordResolver } from '../records/record-resolver.js';
import type { MemoryStore } from '../storage/memory/memory-store.js';
import { StoreBusyError } from '../storage/sync-store.js';
import { brief, create, errorOf, mutation, setUp } from '../sync-handler.fixture.js';

const outside: RecordResolver = { getRecord: () => undefined, applyMutation: () => undefined };

it.each([
  ['in the store', undefined, true],
  ['in the store, for outcomes alone', undefined, false],
  ['beside the store', outside, true],
  ['beside the store, for outcomes alone', outside, false],
] as const)('I6 tells no outcome that another feed does not know, of writes %s', async (_where, resolver, pull) => {
  const { push, store } = setUp();
  const other = setUp();
  const first = await push({ mutations: [create({ n: 1 })] }, resolver);
  await other.push({ mutations: [create({ n: 1 }), create({ n: 2 }, { recordId: 't2' })] });
  const request = { lastCheckpoint: first.checkpoint, pull, mutations: [mutation({ data: { n: 2 }, baseVersion: 1 })] };
  // What others wrote stands between, so that the page has to be read.
  await push({ logId: 'log-b', mutations: [create({ n: 9 }, { recordId: 't3' })] }, resolver);
  const back = readingFrom(store, other.store);
  expect(await errorOf(push(request, resolver))).toBe('503 BUSY');
  back();
  expect(brief((await push(request, resolver)).results)).toEqual(['applied']);
});

it('I6 executes nothing more of a push in whose midst the store was restored', async () => {
  const { push, store } = setUp();
  const { checkpoint } = await push({ mutations: [create({ n: 0 }, { recordId: 't0' })] }, outside);
  const written: unknown[] = [];
  const restoring: RecordResolver = {
    ...outside,
    async applyMutation({ recordId }) {
      written.push(recordId);
      await store.changeEpoch();
    },
  };
  const mutations = [create({ n: 1 }), create({ n: 2 }, { recordId: 't2' })];
  expect(await errorOf(push({ lastCheckpoint: checkpoint, mutations }, restoring))).toBe('503 BUSY');
  expect(written).toEqual(['t1']);
});

it('I1 charges no mutation with a store that is busy: the whole push comes again', async () => {
  const { push, store, warnings } = setUp();
  const { transaction } = store;
  let left = 2;
  store.transaction = (work) => {
    left -= 1;
    return left < 0
      ? Promise.reject(new StoreBusyError('The database is locked.'))
      : (transaction.call(store, work) as never);
  };
  const mutations = [create({ n: 1 }), create({ n: 2 }, { recordId: 't2' })];
  await expect(push({ mutations }, outside)).rejects.toMatchObject({ status: 503, code: 'BUSY', retryAfterMs: 1000 });
  const deadlocked: RecordResolver = {
    transactional: true,
    getRecord: () => undefined,
    applyMutation: () => Promise.reject(new StoreBusyError('A deadlock was detected.')),
  };
  left = 1;
  expect(await errorOf(push({ mutations }, deadlocked))).toBe('503 BUSY');
  expect(warnings).toEqual([]);
});

it('I6 tells a device in the midst of its walk that the server lacks what it has sent since', async () => {
  const [server, copy] = [setUp({ limits: { maxPageRecords: 1 } }), setUp({ limits: { maxPageRecords: 1 } })];
  for (const { push } of [server, copy]) {
    await push({ logId: 'log-b', mutations: [create({}, { recordId: 'a' }), create({}, { recordId: 'b' })] });
  }
  const { checkpoint, hasMore } = await server.push({ mutations: [create({ n: 1 })] });
  expect(hasMore).toBe(true);
  expect(await copy.pull(checkpoint)).toMatchObject({ reset: 'epoch' });
});

/** Lets the one store's pages come from another; the returned function ends it. */
function readingFrom(store: MemoryStore, other: MemoryStore): () => void {
  const { page } = store;
  store.page = (query) => other.page(query);
  return () => {
    store.page = page;
  };
}
