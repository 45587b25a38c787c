import { expect, it } from 'vitest';
import { storeResolver } from '../records/record-resolver.js';
import type { ReadPermission } from '../rules/authorize.js';
import { MemoryStore } from '../storage/memory/memory-store.js';
import { create, mutation, setUp } from '../sync-handler.fixture.js';
import { withStoreFaults } from '../testing/store-faults.js';

it('I12 takes back a record that an earlier page of the same walk showed before it became unreadable', async () => {
  const { handler, pull } = setUp({
    authorize: { read: ({ record }): ReadPermission => (record?.secret ? 'forget' : 'allow') },
    limits: { maxPageRecords: 1 },
  });
  for (const recordId of ['a', 'b']) {
    await handler.recordChange({ objectName: 'task', recordId, operation: 'create', data: { title: 'x' } });
  }
  const first = await pull();
  await handler.recordChange({ objectName: 'task', recordId: 'a', operation: 'update', data: { secret: true } });
  const second = await pull(first.checkpoint);
  const third = await pull(second.checkpoint);
  const brief = [first, second, third].flatMap(({ serverChanges }) =>
    serverChanges.map(({ operation, recordId }) => `${operation} ${recordId}`),
  );
  expect(brief).toEqual(['create a', 'create b', 'delete a']);
});

it('I6 answers no page that was read while the rights of its caller changed', async () => {
  const scopes = ['before', 'after', 'after', 'after'];
  const { handler, pull } = setUp({ authorize: { scope: () => scopes.shift() ?? 'after' } });
  await handler.recordChange({ objectName: 'task', recordId: 'a', operation: 'create', data: { title: 'x' } });
  await expect(pull()).rejects.toMatchObject({ code: 'BUSY' });
  expect((await pull()).serverChanges).toMatchObject([{ recordId: 'a' }]);
});

it('I6 tells what was out of sight when its result was made, and is in sight again when the page is read', async () => {
  let isGranted = true;
  const authorize = {
    read: (): ReadPermission => (isGranted ? 'allow' : 'hide'),
    scope() {
      isGranted = true;
      return 'granted';
    },
  };
  const { push } = setUp({ authorize });
  const first = await push({});
  const applyMutation = () => {
    isGranted = false;
  };
  const second = await push(
    {
      lastCheckpoint: first.checkpoint,
      mutations: [create({ title: 'x' }), mutation({ recordId: 'missing', data: { title: 'y' } })],
    },
    { transactional: true, getRecord: () => undefined, applyMutation },
  );
  expect(second.results).toMatchObject([{ status: 'applied', record: null }, { code: 'NOT_FOUND' }]);
  expect(second.serverChanges).toMatchObject([{ recordId: 't1', data: { title: 'x' } }]);
});

it('reads no page for a client that works alone, and passes all it wrote', async () => {
  const store = withStoreFaults(new MemoryStore(), []);
  const { push } = setUp({ store });
  const first = await push({
    mutations: [create({ title: 'x' }), mutation({ data: { title: 'y' }, baseVersion: null })],
  });
  const second = await push({ lastCheckpoint: first.checkpoint, mutations: [create({}, { recordId: 't2' })] });
  expect(store.steps.filter((step) => step === 'page')).toEqual([]);
  const third = await push({ lastCheckpoint: second.checkpoint });
  expect([first, second, third].map(({ serverChanges, hasMore }) => [serverChanges, hasMore])).toEqual([
    [[], false],
    [[], false],
    [[], false],
  ]);
});

it('tells when each record changed last, and whether that made it', async () => {
  const { handler, pull, advance } = setUp();
  for (const [operation, recordId] of [
    ['create', 'a'],
    ['create', 'b'],
    ['create', 'c'],
    ['update', 'a'],
  ] as const) {
    await handler.recordChange({ objectName: 'task', recordId, operation, data: { operation } });
    if (recordId !== 'b') advance(1000);
  }
  const { serverChanges } = await pull();
  expect(serverChanges.map(({ recordId, operation, timestamp }) => [recordId, operation, timestamp])).toEqual([
    ['b', 'create', '2026-03-01T12:00:01.000Z'],
    ['c', 'create', '2026-03-01T12:00:01.000Z'],
    ['a', 'update', '2026-03-01T12:00:02.000Z'],
  ]);
});

it('tells the mutation behind a change, unless the change is older than the walk', async () => {
  const { handler, push } = setUp();
  const made = create({ title: 'x' });
  await push({ mutations: [made] });
  const other = { clientId: 'other', logId: 'other-log' };
  const first = await push({ ...other });
  const edited = mutation({ data: { title: 'y' }, baseVersion: 1 });
  await push({ mutations: [edited] });
  await handler.recordChange({ objectName: 'task', recordId: 'past sync', operation: 'create', data: {} });
  const second = await push({ ...other, lastCheckpoint: first.checkpoint });
  expect([first, second].map(({ serverChanges }) => serverChanges.map(({ origin }) => origin?.mutationId))).toEqual([
    [undefined],
    [edited.id, undefined],
  ]);
  expect(second.serverChanges[1]).not.toHaveProperty('origin');
});

it('I6 tells what others wrote before this request, however it ends', async () => {
  const { handler, push } = setUp();
  const first = await push({ mutations: [create({ title: 'x' })] });
  await handler.recordChange({ objectName: 'task', recordId: 'other', operation: 'create', data: {} });
  const second = await push({ lastCheckpoint: first.checkpoint, mutations: [create({}, { recordId: 't2' })] });
  expect(second.serverChanges).toMatchObject([{ recordId: 'other' }]);
});

it('I6 tells a record that entered the feed because a mutation met it', async () => {
  const { push } = setUp({ strategy: 'manual' });
  const resolver = { transactional: true, getRecord: () => ({ title: 'theirs' }), applyMutation: () => undefined };
  const answer = await push({ mutations: [mutation({ data: { title: 'mine' }, baseVersion: null })] }, resolver);
  expect(answer).toMatchObject({
    results: [{ status: 'conflict' }],
    serverChanges: [{ recordId: 't1', data: { title: 'theirs' } }],
  });
});

it.each([
  { from: 'at its first page', objects: undefined },
  { from: 'where it begins anew', objects: ['note'] },
])(
  'I12 takes back a record that the push wrote and somebody made unreadable before it was read, $from',
  async (walk) => {
    const { handler, push, store } = setUp({
      authorize: { read: ({ record }): ReadPermission => (record?.secret ? 'forget' : 'allow') },
    });
    await handler.recordChange({ objectName: 'task', recordId: 'other', operation: 'create', data: {} });
    const lastCheckpoint = walk.objects ? (await push({ objects: walk.objects })).checkpoint : null;
    const { page } = store;
    store.page = async (query) => {
      store.page = page;
      await handler.recordChange({ objectName: 'task', recordId: 't1', operation: 'update', data: { secret: true } });
      return store.page(query);
    };
    const { serverChanges } = await push({ lastCheckpoint, mutations: [create({ title: 'x' })] });
    expect(serverChanges).toMatchObject([
      { operation: 'create', recordId: 'other' },
      { operation: 'delete', recordId: 't1', serverVersion: 2 },
    ]);
  },
);

it('I12 takes a field back from who wrote it, where it was hidden from them while the push was handled', async () => {
  let isHidden = false;
  const authorize = {
    read: (): ReadPermission => (isHidden ? { without: ['body'] } : 'allow'),
    scope: () => String(isHidden),
  };
  const { push } = setUp({ authorize });
  const applyMutation = () => {
    isHidden = true;
  };
  const resolver = { transactional: true, getRecord: () => undefined, applyMutation };
  const { serverChanges } = await push({ mutations: [create({ title: 'x', body: 'y' })] }, resolver);
  expect(serverChanges.map(({ recordId, data }) => [recordId, data])).toEqual([['t1', { title: 'x' }]]);
});

it('I12 takes a field back from who wrote it, where it was hidden from them after their result was made', async () => {
  let asked = 0;
  const isHidden = () => asked > 1;
  const authorize = {
    read: (): ReadPermission => (isHidden() ? { without: ['body'] } : 'allow'),
    // Asked before the mutations are judged, and again for the page.
    scope() {
      asked += 1;
      return String(isHidden());
    },
  };
  const { push } = setUp({ authorize });
  const { results, serverChanges } = await push({ mutations: [create({ title: 'x', body: 'y' })] });
  expect(results.map((result) => 'record' in result)).toEqual([false]);
  expect(serverChanges.map(({ data }) => data)).toEqual([{ title: 'x' }]);
});

it('does not echo what a client wrote that comes for the first time', async () => {
  const { handler, push } = setUp();
  await handler.recordChange({ objectName: 'task', recordId: 'other', operation: 'create', data: {} });
  const { serverChanges } = await push({ mutations: [create({ title: 'x' })] });
  expect(serverChanges).toMatchObject([{ recordId: 'other' }]);
});

it('fills a page to its size', async () => {
  const bytesOfChange = 512 + '{"text":"ä"}'.length + 1;
  for (const [maxPageBytes, count] of [
    [3 * bytesOfChange, 3],
    [2 * bytesOfChange, 2],
    [2 * bytesOfChange - 1, 1],
  ] as const) {
    const { handler, pull } = setUp({ limits: { maxPageBytes } });
    for (const recordId of ['a', 'b', 'c'])
      await handler.recordChange({ objectName: 'task', recordId, operation: 'create', data: { text: 'ä' } });
    expect(await pull()).toMatchObject({ serverChanges: { length: count }, hasMore: count < 3 });
  }
});

it('I6 starts the walk anew for a caller other than the one whose rights the checkpoint was made under', async () => {
  const { handler } = setUp({
    authorize: { read: ({ principal, record }) => (record?.of === principal?.id ? 'allow' : 'hide') },
  });
  await handler.recordChange({ objectName: 'task', recordId: 'a', operation: 'create', data: { of: 'ann' } });
  const pullAs = (id: string, lastCheckpoint: string | null) =>
    handler.handlePull({ clientId: 'shared', protocol: 2, lastCheckpoint }, { principal: { id } });
  const asBob = await pullAs('bob', null);
  const asAnn = await pullAs('ann', asBob.checkpoint);
  expect([asBob.serverChanges, asAnn.reset, asAnn.serverChanges]).toMatchObject([[], 'scope', [{ recordId: 'a' }]]);
});

it.each([
  { known: 'no objects', objects: undefined },
  { known: 'its objects', objects: new Map(['task', 'note'].map((name) => [name, { enabled: true }])) },
])(
  'I6 starts the walk anew for a caller who wants what it left out, where the server knows $known',
  async ({ objects }) => {
    const { handler, pull } = setUp({ objects });
    for (const objectName of ['task', 'note']) {
      await handler.recordChange({ objectName, recordId: '1', operation: 'create', data: {} });
    }
    const without = await pull(null, { except: ['note'] });
    const again = await pull(without.checkpoint, { except: ['note'] });
    const all = await pull(again.checkpoint);
    const seen = [without, again, all].map(({ reset, serverChanges }) => [
      reset,
      serverChanges.map((one) => one.objectName),
    ]);
    expect(seen).toEqual([
      [undefined, ['task']],
      [undefined, []],
      ['scope', ['task', 'note']],
    ]);
  },
);

it('I6 tells a caller of other rights than before even what they wrote, since they may not have what it was written on', async () => {
  const { handler } = setUp({
    authorize: { read: ({ principal, record }) => (record?.of === principal?.id ? 'allow' : 'hide') },
  });
  await handler.recordChange({ objectName: 'task', recordId: 't1', operation: 'create', data: { of: 'ann' } });
  const asBob = await handler.handlePull(
    { clientId: 'shared', protocol: 2, lastCheckpoint: null },
    { principal: { id: 'bob' } },
  );
  const mutations = [mutation({ data: { title: 'x' }, baseVersion: 1 })];
  const request = { clientId: 'a', logId: 'log', protocol: 2, lastCheckpoint: asBob.checkpoint, mutations };
  const asAnn = await handler.handlePush(request, storeResolver, { principal: { id: 'ann' } });
  expect([asAnn.reset, asAnn.serverChanges]).toMatchObject(['scope', [{ data: { of: 'ann', title: 'x' } }]]);
});

it('hands out smaller pages to who asks for them, and no larger ones', async () => {
  const { push, pull } = setUp({ limits: { maxPageRecords: 2 } });
  await push({ mutations: [1, 2, 3].map((n) => create({ n }, { recordId: n })) });
  const sizes = await Promise.all([1, 100].map(async (limit) => (await pull(null, { limit })).serverChanges.length));
  expect(sizes).toEqual([1, 2]);
});

it('reads hardly more of large records than their pages take, and of small ones a full page', async () => {
  const { handler, store, pull } = setUp({ limits: { maxPageBytes: 10_000, maxPageRecords: 200 } });
  const sizes = [...Array.from({ length: 300 }, () => 2000), ...Array.from({ length: 300 }, () => 1)];
  for (const [recordId, size] of sizes.entries()) {
    const data = { text: 'x'.repeat(size) };
    await handler.recordChange({ objectName: 'task', recordId, operation: 'create', data });
  }
  const { page } = store;
  let read = 0;
  store.page = async (query) => {
    const found = await page.call(store, query);
    read += found.records.length;
    return found;
  };
  const told: unknown[] = [];
  let pages = 0;
  for (let checkpoint: string | null = null, hasMore = true; hasMore; pages++) {
    const answer = await pull(checkpoint);
    told.push(...answer.serverChanges.map(({ recordId }) => recordId));
    checkpoint = answer.checkpoint;
    hasMore = answer.hasMore ?? false;
  }
  expect(told).toEqual([...sizes.keys()]);
  // 3 large ones fit a page and 19 small ones; without a guess 200 would be read for each.
  expect(pages).toBeLessThan(125);
  expect(read).toBeLessThan(pages * 32 + 200);
});
