/** Dropping what is old, slice by slice, ends where the server does. */
import { consoleLogger, type KernelContext } from '@objectql/sync-types/kernel';
import { expect, it } from 'vitest';
import type { MemoryStore } from '../storage/memory/memory-store.js';
import { create, DAY_MS, setUp } from '../sync-handler.fixture.js';
import { SyncProtocolPlugin } from '../sync-protocol-plugin.js';

/** Calls `listener` after each slice that the store has dropped; answers how many rows went with each. */
function listenToSlices(store: MemoryStore, listener: () => void): readonly number[] {
  const slices: number[] = [];
  const prune = store.prune.bind(store);
  store.prune = async (slice) => {
    const dropped = await prune(slice);
    slices.push(dropped.removed);
    listener();
    return dropped;
  };
  return slices;
}

/** A server with 1,100 outcomes, all of them older than the retention. */
async function withBacklog() {
  const server = setUp();
  const mutations = () => Array.from({ length: 550 }, (_, n) => create({ n }, { recordId: `r${n}` }));
  await server.push({ mutations: mutations() });
  await server.push({ mutations: mutations() });
  server.advance(31 * DAY_MS);
  return server;
}

it('drops all that is old, however many slices it takes', async () => {
  const { handler } = await withBacklog();
  expect(await handler.prune()).toEqual({ removed: 1100 });
});

it('ends with its slice when the handler is closed', async () => {
  const { handler, store } = await withBacklog();
  let closed: Promise<void> | undefined;
  listenToSlices(store, () => {
    closed ??= handler.close();
  });
  expect(await handler.prune()).toEqual({ removed: 500 });
  await closed;
});

it('keeps no kernel from being shut down', async () => {
  const { store } = await withBacklog();
  const plugin = new SyncProtocolPlugin({ store, endpoint: { enabled: false, changeLogRetentionDays: 1e-6 } });
  const context: KernelContext = {
    logger: consoleLogger,
    getKernel: () => ({}),
    getServices: () => new Map(),
  } as Partial<KernelContext> as KernelContext;
  let shutDown: Promise<void> | undefined;
  const slices = listenToSlices(store, () => {
    shutDown ??= plugin.destroy();
  });
  await plugin.start(context);
  while (!shutDown) await new Promise<void>((resolve) => setImmediate(resolve));
  await shutDown;
  expect(slices).toEqual([500]);
});

it.each([
  ['keeps everything for ever', Number.POSITIVE_INFINITY, 0],
  ['keeps the seventh of a day', 1 / 7, Date.parse('2026-03-01T08:34:17.143Z')],
])('%s, by a time that every database can compare with', async (_what, changeLogRetentionDays, expected) => {
  const before: number[] = [];
  const { handler, store } = setUp({ changeLogRetentionDays });
  const prune = store.prune.bind(store);
  store.prune = (slice) => {
    before.push(slice.before);
    return prune(slice);
  };
  await handler.prune();
  expect(before).toEqual([expected]);
});
