import type { MutationLogEntry } from '@objectql/sync-types';
import { describe, expect, it } from 'vitest';
import type { RecordResolver } from '../records/record-resolver.js';
import type { MemoryStore } from '../storage/memory/memory-store.js';
import { brief, create, DAY_MS, mutation, setUp } from '../sync-handler.fixture.js';

/** Nothing of it is saved, as when the process dies there; the next one finds the store as it was. */
function dieAtNextTransaction(store: MemoryStore): void {
  const { transaction } = store;
  store.transaction = async () => {
    store.transaction = transaction;
    throw new Error('the process died');
  };
}

describe('a resolver with getRecord and applyMutation alone', () => {
  function table() {
    const rows = new Map<unknown, Record<string, unknown>>([['old', { title: 'older than sync', _id: 'old' }]]);
    const calls: string[] = [];
    const resolver: RecordResolver = {
      getRecord: async (_objectName, recordId) => rows.get(recordId),
      async applyMutation(applied, version) {
        calls.push(`${applied.operation} ${applied.recordId} v${version}`);
        if (applied.operation === 'delete') rows.delete(applied.recordId);
        else rows.set(applied.recordId, { ...rows.get(applied.recordId), ...applied.data });
      },
    };
    return { rows, calls, resolver };
  }

  it('is given the fields to write and the version they get', async () => {
    const { push } = setUp();
    const { rows, calls, resolver } = table();
    const { results } = await push(
      { mutations: [create({ n: 1 }), mutation({ data: { n: 2 } }), mutation({ operation: 'delete' })] },
      resolver,
    );
    expect(brief(results)).toEqual(['applied', 'applied', 'applied']);
    expect(calls).toEqual(['create t1 v1', 'update t1 v2', 'delete t1 v3']);
    expect(rows.has('t1')).toBe(false);
  });

  it('is called for what is whole alone, and its writes are not echoed', async () => {
    const { push } = setUp();
    const { calls, resolver } = table();
    const answer = await push({ mutations: [create({ n: 1 }), mutation({ sequence: -1 })] }, resolver);
    expect([brief(answer.results), answer.serverChanges, calls]).toEqual([
      ['applied', 'INVALID'],
      [],
      ['create t1 v1'],
    ]);
  });

  it('is asked for a record whose delete was forgotten in the midst of the push', async () => {
    const { push, pull, handler, advance } = setUp();
    const { rows, resolver } = table();
    await push({ mutations: [create({ n: 1 }), mutation({ operation: 'delete' })] }, resolver);
    advance(31 * DAY_MS);
    rows.set('t1', { title: 'made anew past sync' });
    const pruning: RecordResolver = {
      ...resolver,
      async applyMutation(...write) {
        await handler.prune();
        return resolver.applyMutation(...write);
      },
    };
    const mutations = [create({ n: 1 }, { recordId: 'other' }), mutation({ data: { n: 2 }, baseVersion: 2 })];
    await push({ logId: 'log-b', mutations }, pruning);
    const [change] = (await pull()).serverChanges.filter(({ recordId }) => recordId === 't1');
    expect(change?.data).toMatchObject({ title: 'made anew past sync' });
  });

  it('brings records into the feed that are older than sync', async () => {
    const { push, pull } = setUp({ strategy: 'manual' });
    const { resolver } = table();
    const { results } = await push({ mutations: [mutation({ recordId: 'old', data: { status: 'done' } })] }, resolver);
    expect(results).toMatchObject([
      { status: 'applied', serverVersion: 2, record: { title: 'older than sync', status: 'done' } },
    ]);
    expect((await pull()).serverChanges).toMatchObject([
      { recordId: 'old', data: { title: 'older than sync', status: 'done' } },
    ]);
  });

  for (const step of ['after the announcement', 'after the write'] as const) {
    it(`I11 recovers from a crash ${step}`, async () => {
      const { store, push, pull, advance } = setUp();
      const { rows, calls, resolver } = table();
      const dying: RecordResolver = {
        ...resolver,
        async applyMutation(applied, version, context) {
          if (step === 'after the write') await resolver.applyMutation(applied, version, context);
          // The process is gone: no confirmation is ever written.
          dieAtNextTransaction(store);
        },
      };
      const request = { mutations: [create({ n: 1 })] };
      expect(brief((await push(request, dying)).results)).toEqual(['INTERNAL']);
      expect(brief((await push(request, resolver)).results)).toEqual(['BUSY']);
      advance(60_000);
      expect(brief((await push(request, resolver)).results)).toEqual(['applied']);
      expect(rows.get('t1')).toEqual({ n: 1 });
      expect(calls).toEqual(['create t1 v1']);
      expect((await pull()).serverChanges).toMatchObject([{ recordId: 't1', serverVersion: 1 }]);
    });
  }
});

it('I11 confirms after a crash what the application made of the write, not what was announced', async () => {
  const { store, push, pull, advance } = setUp();
  let row: object | undefined;
  const resolver: RecordResolver = {
    getRecord: () => row,
    applyMutation({ data }) {
      row = { ...data, touched: 'by a hook' };
      dieAtNextTransaction(store);
      return row;
    },
  };
  const request = { mutations: [create({ n: 1 })] };
  await push(request, resolver);
  advance(60_000);
  expect(brief((await push(request, resolver)).results)).toEqual(['applied']);
  expect((await pull()).serverChanges).toMatchObject([{ data: { n: 1, touched: 'by a hook' } }]);
});

it('I7 makes an announced write again of which a hook has changed a part, and meets no conflict with that', async () => {
  const { store, push, advance } = setUp();
  let row: Record<string, unknown> | undefined;
  const resolver: RecordResolver = {
    getRecord: () => row,
    applyMutation({ data }) {
      row = { ...row, ...data, email: String(data?.email).toLowerCase() };
      return row;
    },
  };
  const dying: RecordResolver = {
    ...resolver,
    async applyMutation(...write) {
      await resolver.applyMutation(...write);
      dieAtNextTransaction(store);
    },
  };
  await push({ mutations: [create({ name: 'Ada', email: 'ADA@EXAMPLE.COM' })] }, resolver);
  const request = { mutations: [mutation({ data: { name: 'Ada L.', email: 'LOVELACE@EXAMPLE.COM' } })] };
  await push(request, dying);
  advance(60_000);
  expect((await push(request, resolver)).results).toMatchObject([
    { status: 'applied', record: { name: 'Ada L.', email: 'lovelace@example.com' } },
  ]);
});

it('I13 withdraws an announced write that the application will never take, and goes on with the record', async () => {
  const { store, push, pull, advance } = setUp();
  const rows = new Map<unknown, Record<string, unknown>>();
  const resolver: RecordResolver = {
    getRecord: (_objectName, recordId) => rows.get(recordId),
    applyMutation({ recordId, data }) {
      if (data?.poison) throw new Error('The application cannot take this.');
      rows.set(recordId, { ...rows.get(recordId), ...data });
    },
  };
  const dying: RecordResolver = {
    ...resolver,
    applyMutation() {
      dieAtNextTransaction(store);
      throw new Error('The application cannot take this.');
    },
  };
  await push({ logId: 'log-b', mutations: [create({ poison: true })] }, dying);
  advance(60_000);
  expect(brief((await push({ mutations: [create({ n: 1 })] }, resolver)).results)).toEqual(['applied']);
  expect((await pull()).serverChanges).toMatchObject([{ recordId: 't1', data: { n: 1 } }]);
});

it('tells the operator why a write failed, also where its announcement cannot be taken back', async () => {
  const { store, push, warnings } = setUp();
  const poison = new Error('The application cannot take this.');
  const resolver: RecordResolver = {
    getRecord: () => undefined,
    applyMutation() {
      dieAtNextTransaction(store);
      throw poison;
    },
  };
  expect(brief((await push({ mutations: [create({ n: 1 })] }, resolver)).results)).toEqual(['INTERNAL']);
  expect(warnings.map(({ cause }) => cause)).toEqual([poison, new Error('the process died')]);
});

it('makes no announced write of another user as the caller who meets it', async () => {
  const { handler, store, advance } = setUp();
  const made: unknown[] = [];
  const resolver: RecordResolver = {
    getRecord: () => undefined,
    applyMutation: ({ recordId }, _version, { principal }) => void made.push([principal?.id, recordId]),
  };
  const dying: RecordResolver = {
    ...resolver,
    applyMutation() {
      dieAtNextTransaction(store);
    },
  };
  const pushAs = async (id: string, entry: MutationLogEntry, by: RecordResolver) => {
    const request = { clientId: 'a', logId: `log-of-${id}`, lastCheckpoint: null, mutations: [entry] };
    return brief((await handler.handlePush(request, by, { principal: { id } })).results);
  };
  const ofAnne = create({ n: 1 });
  await pushAs('anne', ofAnne, dying);
  advance(60_000);
  expect(await pushAs('bert', mutation({ data: { n: 2 } }), resolver)).toEqual(['NOT_FOUND']);
  expect(await pushAs('anne', ofAnne, resolver)).toEqual(['applied']);
  expect(made).toEqual([['anne', 't1']]);
});

it('I13 recovers an announced write after the time it may take, also when the clock was set back by a day', async () => {
  const { store, push, pull, advance } = setUp();
  const rows = new Map<unknown, Record<string, unknown>>();
  const made: unknown[] = [];
  const resolver: RecordResolver = {
    getRecord: (_objectName, recordId) => rows.get(recordId),
    applyMutation({ recordId, data }) {
      made.push(data);
      rows.set(recordId, { ...data });
    },
  };
  const dying: RecordResolver = {
    ...resolver,
    async applyMutation(...write) {
      await resolver.applyMutation(...write);
      dieAtNextTransaction(store);
    },
  };
  await push({ mutations: [create({ n: 1 })] }, resolver);
  const request = { mutations: [mutation({ data: { n: 2 } })] };
  await push(request, dying);
  advance(-DAY_MS);
  const { results } = await push(request, resolver);
  expect(results).toMatchObject([{ code: 'BUSY', retryAfterMs: 20_000 }]);
  advance(20_000);
  expect(brief((await push(request, resolver)).results)).toEqual(['applied']);
  expect((await pull()).serverChanges).toMatchObject([{ recordId: 't1', serverVersion: 2, data: { n: 2 } }]);
  expect(made).toEqual([{ n: 1 }, { n: 2 }]);
});

it('looks up in the application only what the store does not know', async () => {
  const { push } = setUp();
  let asked = 0;
  const resolver: RecordResolver = {
    getRecord() {
      asked += 1;
      return undefined;
    },
    applyMutation: () => undefined,
  };
  await push({ mutations: [create({ n: 1 }), mutation({ data: { n: 2 } })] }, resolver);
  await push({ mutations: [mutation({ data: { n: 3 } })] }, resolver);
  expect(asked).toBe(1);
});
