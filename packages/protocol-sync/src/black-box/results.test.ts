/** What results show: the record where the client cannot know it, and nothing where it may not. */
import { MAX_FIELDS } from '@objectql/sync-types';
import { syncPushResponseSchema } from '@objectql/sync-types/schema';
import { expect, it } from 'vitest';
import type { RecordResolver } from '../records/record-resolver.js';
import { look } from '../storage/contract/store-samples.js';
import { brief, create, DAY_MS, mutation, setUp } from '../sync-handler.fixture.js';

it('I6 repeats a write of a record that is deleted by now without bringing the record back', async () => {
  const { push } = setUp();
  const first = create({ title: 'x' });
  const request = { mutations: [first] };
  await push(request);
  const { checkpoint } = await push({ mutations: [mutation({ operation: 'delete' })] });
  // A clone of the device, which has already passed the delete.
  expect((await push({ ...request, lastCheckpoint: checkpoint })).results).toMatchObject([
    { status: 'applied', serverVersion: 1, record: null, duplicate: true },
  ]);
});

it('I6 repeats a write of a record that went on since without the record, which the feed tells at its own version', async () => {
  const { push } = setUp();
  const first = create({ title: 'x' });
  await push({ mutations: [first] });
  await push({ logId: 'log-b', mutations: [mutation({ baseVersion: 1, data: { title: 'y' } })] });
  expect((await push({ mutations: [first] })).results).toEqual([
    { status: 'applied', mutationId: first.id, serverVersion: 1, duplicate: true },
  ]);
});

it('tells a record once to a device that sends again because an answer was lost, and not what it sent itself', async () => {
  const { push, pull } = setUp();
  await push({ logId: 'log-b', mutations: [create({ title: 'x' })] });
  const { checkpoint: lastCheckpoint } = await pull();
  const mutations = [
    mutation({ baseVersion: 1, data: { body: 'y' } }),
    mutation({ baseVersion: 1, data: { status: 'z' } }),
    create({ title: 'mine' }, { recordId: 't2' }),
  ];
  await push({ lastCheckpoint, mutations });
  await push({ logId: 'log-b', mutations: [create({ title: 'theirs' }, { recordId: 't3' })] });
  const { results, serverChanges } = await push({ lastCheckpoint, mutations });
  const [first, second, third] = mutations.map(({ id: mutationId }) => ({
    mutationId,
    status: 'applied',
    duplicate: true,
  }));
  expect(results).toEqual([
    { ...first, serverVersion: 2 },
    { ...second, serverVersion: 3, record: { title: 'x', body: 'y', status: 'z' } },
    { ...third, serverVersion: 1 },
  ]);
  expect(serverChanges.map(({ recordId }) => recordId)).toEqual(['t3']);
});

it('I4 shows with the repeated result of a create what the resolver has made of it', async () => {
  const { push } = setUp();
  const resolver: RecordResolver = {
    getRecord: () => undefined,
    applyMutation: ({ data }) => ({ ...data, owner: 'ada' }),
  };
  const request = { mutations: [create({ title: 'x' })] };
  await push(request, resolver);
  expect((await push(request, resolver)).results).toMatchObject([{ record: { title: 'x', owner: 'ada' } }]);
});

it('I4 tells the feed to a device that sends again and has not seen what others made of the record since', async () => {
  const { push, pull } = setUp();
  const { checkpoint: lastCheckpoint } = await pull();
  const request = { lastCheckpoint, mutations: [create({ title: 'x' })] };
  await push(request);
  await push({ logId: 'log-b', mutations: [mutation({ baseVersion: 1, data: { title: 'y' } })] });
  expect((await push(request)).serverChanges).toMatchObject([{ serverVersion: 2, data: { title: 'y' } }]);
});

it('repeats a conflict as one with a record that is not there when its delete is forgotten by now', async () => {
  const { push, handler, advance } = setUp();
  await push({ logId: 'log-b', mutations: [create({ title: 'x' }), mutation({ operation: 'delete' })] });
  advance(20 * DAY_MS);
  const late = { mutations: [mutation({ baseVersion: 1, data: { title: 'y' } })] };
  expect(brief((await push(late)).results)).toEqual(['conflict']);
  advance(20 * DAY_MS);
  await handler.prune();
  expect((await push(late)).results).toMatchObject([{ code: 'NOT_FOUND', duplicate: true }]);
});

it('I6 shows the record to a device that has no base for it, though its own log wrote it', async () => {
  const { push } = setUp();
  // A late copy of the device's first request, on a restored server: the device has forgotten what it wrote before.
  await push({ mutations: [create({ title: 'x' })] });
  const { results } = await push({ mutations: [mutation({ data: { body: 'y' } }), mutation({ data: { body: 'z' } })] });
  expect(results).toMatchObject([{ record: { title: 'x', body: 'y' } }, { serverVersion: 3 }]);
  expect(results[1]).not.toHaveProperty('record');
});

it('I4 shows the record to a device whose log wrote it once more without its knowing', async () => {
  const { push, pull } = setUp();
  await push({ logId: 'log-b', mutations: [create({ title: 'x' })] });
  const { checkpoint: lastCheckpoint } = await pull();
  // What the device has forgotten at a restore, sent once more by a clone of it or in a late copy of its first request.
  await push({ mutations: [mutation({ data: { body: 'y' } })] });
  const { results } = await push({ lastCheckpoint, mutations: [mutation({ baseVersion: 1, data: { status: 'z' } })] });
  expect(results).toMatchObject([{ serverVersion: 3, record: { title: 'x', body: 'y', status: 'z' } }]);
});

it('I4 shows a device whose edit came too late for a delete that the record is gone', async () => {
  const { push, handler, advance } = setUp({ strategy: 'last-write-wins' });
  await push({ mutations: [create({ title: 'x' })] });
  advance(2000);
  await handler.recordChange({ objectName: 'task', recordId: 't1', operation: 'delete' });
  const late = mutation({ clientId: 'b', baseVersion: 1, data: { title: 'y' } });
  const { results } = await push({ clientId: 'b', logId: 'log-b', mutations: [late] });
  expect(results).toMatchObject([{ status: 'applied', serverVersion: 2, record: null, droppedFields: ['title'] }]);
});

it('shows no record to a device that has passed what its log wrote', async () => {
  const { push } = setUp();
  const { checkpoint } = await push({ mutations: [create({ title: 'x' })] });
  const { results } = await push({
    lastCheckpoint: checkpoint,
    mutations: ['y', 'z'].map((body) => mutation({ baseVersion: 1, data: { body } })),
  });
  expect(results.map((result) => 'record' in result)).toEqual([false, false]);
});

it('shows no record to a device whose own chain of offline edits made it', async () => {
  const { push } = setUp();
  const chain = [create({ title: 'x' }), mutation({ data: { title: 'y' } }), mutation({ data: { body: 'z' } })];
  expect((await push({ mutations: chain })).results).toEqual(
    chain.map(({ id }, index) => ({ status: 'applied', mutationId: id, serverVersion: index + 1 })),
  );
});

it('I11 brings every record of a push into the feed, of those that were there and of new ones', async () => {
  const { push, pull } = setUp();
  const ids = ['a', 'b', 'c'];
  await push({ mutations: ids.map((recordId) => create({ n: 1 }, { recordId })) });
  const edits = ids.map((recordId) => mutation({ recordId, baseVersion: 1, data: { n: 2 } }));
  const added = ['d', 'e'];
  await push({ mutations: [...added.map((recordId) => create({ n: 2 }, { recordId })), ...edits] });
  const { serverChanges } = await pull();
  expect(serverChanges.map(({ recordId, data }) => [recordId, data])).toEqual(
    [...added, ...ids].map((recordId) => [recordId, { n: 2 }]),
  );
});

it('shows no record to a device that edits what another wrote and it has seen', async () => {
  const { push, pull } = setUp();
  await push({ logId: 'log-b', mutations: [create({ title: 'x' })] });
  const { checkpoint: lastCheckpoint } = await pull();
  const { results } = await push({ lastCheckpoint, mutations: [mutation({ baseVersion: 1, data: { body: 'y' } })] });
  expect(results.map((result) => 'record' in result)).toEqual([false]);
});

it('I4 shows the record to a device whose edit is older than one of another that came in between its own', async () => {
  const { push } = setUp();
  const first = await push({ mutations: [create({ title: 'x' })] });
  await push({ logId: 'log-b', mutations: [mutation({ baseVersion: 1, data: { theirs: 1 } })] });
  const edits = [{ mine: 1 }, { more: 1 }].map((data) => mutation({ baseVersion: 1, data }));
  const second = await push({ lastCheckpoint: first.checkpoint, mutations: edits.slice(0, 1) });
  const { results } = await push({ lastCheckpoint: second.checkpoint, mutations: edits.slice(1) });
  expect(results).toMatchObject([{ serverVersion: 4, record: { title: 'x', theirs: 1, mine: 1, more: 1 } }]);
});

it('I4 shows the record to a device whose edit says nothing', async () => {
  const { push } = setUp();
  await push({ logId: 'log-b', mutations: [create({ title: 'x' })] });
  const { results } = await push({ mutations: [mutation({ baseVersion: 1, data: {} })] });
  expect(results).toMatchObject([{ status: 'applied', serverVersion: 1, record: { title: 'x' } }]);
});

for (const transactional of [true, false]) {
  const name = transactional ? 'in one transaction' : 'one by one';

  it(`I12 shows nothing of a record that the same push, applied ${name}, takes from its writer's sight`, async () => {
    const rows = new Map<unknown, Record<string, unknown>>();
    const resolver: RecordResolver = {
      transactional,
      getRecord: (_objectName, recordId) => rows.get(recordId),
      applyMutation({ recordId, data }) {
        rows.set(recordId, { ...rows.get(recordId), ...data });
      },
    };
    const { push } = setUp({
      strategy: 'manual',
      authorize: { read: ({ record }) => (record?.secret ? 'hide' : 'allow') },
    });
    await push({ logId: 'log-b', mutations: [create({ theirs: 1 })] }, resolver);
    const mutations = [
      mutation({ data: { theirs: 2 } }),
      mutation({ data: { mine: 1 } }),
      mutation({ data: { secret: true } }),
      mutation({ sequence: -1 }),
    ];
    const { results } = await push({ mutations }, resolver);
    expect(brief(results)).toEqual(['NOT_FOUND', 'applied', 'applied', 'INVALID']);
    expect(results).toMatchObject([{}, { record: null }, { record: null }, {}]);
  });

  it.each([
    ['manual', 'conflict'],
    ['crdt', 'applied'],
  ] as const)(
    `leaves to the next push, applied ${name}, what would make the answer enormous (%s)`,
    async (strategy, told) => {
      const { push } = setUp({ strategy });
      const record = { title: 'theirs', text: 'x'.repeat(200_000) };
      const resolver: RecordResolver = { transactional, getRecord: () => record, applyMutation: () => {} };
      const mutations = Array.from({ length: 30 }, () => mutation({ data: { title: 'mine' } }));
      const { results } = await push({ mutations }, resolver);
      const decided = brief(results).indexOf('BATCH_TOO_LARGE');
      expect(brief(results)).toEqual(mutations.map((_, index) => (index < decided ? told : 'BATCH_TOO_LARGE')));
      expect(JSON.stringify(results).length).toBeLessThan(5 * 1024 * 1024);
      // Also where the answer was lost, what is behind comes through.
      const again = await push({ mutations: mutations.slice(decided - 1, decided + 1) }, resolver);
      expect(brief(again.results)).toEqual([told, told]);
    },
  );
}

it('asks at once about all records of a push whether its results may show them', async () => {
  let asked = 0;
  let most = 0;
  const read = async () => {
    asked += 1;
    most = Math.max(most, asked);
    await Promise.resolve();
    asked -= 1;
    return 'allow' as const;
  };
  const { push } = setUp({ authorize: { read } });
  await push({ mutations: ['a', 'b', 'c'].map((recordId) => create({ title: 'x' }, { recordId })) });
  expect(most).toBe(3);
});

it.each([
  { where: 'in the store', resolver: undefined },
  { where: 'beside it', resolver: { getRecord: () => undefined, applyMutation: () => undefined } },
])('I12 shows nothing of a record kept $where whose reader loses the right to it meanwhile', async ({ resolver }) => {
  let mayRead = true;
  const { push, store } = setUp({ strategy: 'manual', authorize: { read: () => (mayRead ? 'allow' : 'hide') } });
  await push({ logId: 'log-b', mutations: [create({ theirs: 1 })] }, resolver);
  const { page } = store;
  store.page = (query) => {
    mayRead = false;
    return page.call(store, query);
  };
  const { results } = await push({ mutations: [mutation({ data: { theirs: 2 } })] }, resolver);
  expect(brief(results)).toEqual(['NOT_FOUND']);
});

it('I8 tells again what was dropped, also beside a write that came to the same version and dropped nothing', async () => {
  const { push } = setUp({ strategy: 'last-write-wins' });
  const theirs = (recordId: string) => [
    create({ title: 'x' }, { recordId }),
    mutation({ recordId, data: { title: 'y' }, timestamp: '2026-03-01T11:30:00.000Z' }),
  ];
  await push({ logId: 'log-b', mutations: [...theirs('t1'), ...theirs('t2')] });
  const request = {
    mutations: [
      mutation({ recordId: 't1', baseVersion: 1, data: { body: 'mine' } }),
      mutation({ recordId: 't2', baseVersion: 1, data: { body: 'mine', title: 'mine' } }),
    ],
  };
  await push(request);
  expect((await push(request)).results).toMatchObject([
    { serverVersion: 3, duplicate: true },
    { serverVersion: 3, duplicate: true, droppedFields: ['title'] },
  ]);
});

it('I8 tells with a conflict all that a client needs to decide it, also when it is asked again', async () => {
  const { push } = setUp({ conflictFields: new Map([['task', ['title']]]), strategy: 'last-write-wins' });
  const made = create({ title: 'x', body: 'x' });
  const theirs = mutation({ data: { title: 'theirs' }, timestamp: '2026-03-01T11:30:00.000Z' });
  await push({ logId: 'log-b', mutations: [made, theirs] });
  const mine = mutation({ baseVersion: 1, data: { title: 'mine', body: 'mine' } });
  const { results } = await push({ mutations: [mine] });
  const stampOf = ({ timestamp, sequence }: typeof mine, logId: string) => ({
    time: Date.parse(timestamp),
    logId,
    sequence,
  });
  expect(results).toEqual([
    {
      status: 'conflict',
      mutationId: mine.id,
      conflict: {
        objectName: 'task',
        recordId: 't1',
        clientMutation: mine,
        serverRecord: { title: 'theirs', body: 'x' },
        conflictingFields: ['title'],
        kind: 'update-update',
        serverVersion: 2,
        suggestedResolution: { title: 'theirs', body: 'mine' },
        strategy: 'last-write-wins',
        conflictFields: ['title'],
        clientStamp: stampOf(mine, 'log-a'),
        serverStamps: { title: stampOf(theirs, 'log-b') },
      },
    },
  ]);
  expect((await push({ mutations: [mine] })).results).toEqual(results.map((told) => ({ ...told, duplicate: true })));
});

it('I13 tells a conflict without a suggestion of more fields than a client takes', async () => {
  const { push } = setUp();
  const fields = (from: number, count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${from + n}`, from]));
  await push({ logId: 'log-b', mutations: [create(fields(0, MAX_FIELDS))] });
  const update = (data: object) => mutation({ operation: 'update', data: { f0: 'mine', ...data } });
  const answer = await push({ mutations: [update({}), update(fields(MAX_FIELDS, 1))] });
  expect(syncPushResponseSchema.safeParse(answer).error).toBeUndefined();
  expect(
    answer.results.map((result) => result.status === 'conflict' && 'suggestedResolution' in result.conflict),
  ).toEqual([true, false]);
});

it('I8 tells with a conflict when the record was deleted', async () => {
  const { push } = setUp({ strategy: 'manual' });
  const removal = mutation({ operation: 'delete', timestamp: '2026-03-01T11:30:00.000Z', sequence: 10_001 });
  await push({ logId: 'log-b', mutations: [create({ title: 'x' }), removal] });
  const { results } = await push({ mutations: [mutation({ baseVersion: 1, data: { title: 'mine' } })] });
  const [{ conflict } = { conflict: undefined }] = results as readonly { readonly conflict?: object }[];
  expect(conflict).toMatchObject({
    kind: 'update-delete',
    serverRecord: null,
    deletedStamp: { time: Date.parse(removal.timestamp), logId: 'log-b', sequence: removal.sequence },
  });
  expect(conflict).not.toHaveProperty('suggestedResolution');
});

it('remembers of a refusal what it tells, and nothing else', async () => {
  const { store, push } = setUp();
  const update = mutation();
  await push({ mutations: [update] });
  const { ledger } = await look(store, { mutationIds: [update.id] });
  const reason = 'There is no such task to update. Create it first.';
  expect(ledger.map(({ outcome }) => outcome)).toEqual([{ status: 'rejected', code: 'NOT_FOUND', reason }]);
});
