/** A database that is put back, or taken over by one that lags behind, between a push and the page that answers it. */
import { expect, it } from 'vitest';
import type { RecordResolver } from './record-resolver.js';
import type { MemoryStore } from './storage/memory-store.js';
import { brief, create, errorOf, mutation, setUp } from './sync-handler.fixture.js';

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

/** Lets the one store's pages come from another; the returned function ends it. */
function readingFrom(store: MemoryStore, other: MemoryStore): () => void {
  const { page } = store;
  store.page = (query) => other.page(query);
  return () => {
    store.page = page;
  };
}
