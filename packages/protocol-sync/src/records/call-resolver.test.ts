import { describe, expect, it } from 'vitest';
import { brief, create, nested, setUp } from '../sync-handler.fixture.js';
import { type RecordResolver, RejectionError, storeResolver } from './record-resolver.js';

describe('a resolver', () => {
  it.each([true, false])(
    'refuses for good with a code of its own, and harms nothing behind it, transactional %s',
    async (transactional) => {
      const { push, warnings } = setUp();
      const resolver: RecordResolver = {
        transactional,
        getRecord: () => undefined,
        applyMutation({ data }) {
          if (!data?.title) throw new RejectionError('VALIDATION', 'A task needs a title.');
        },
      };
      const request = { mutations: [create({}), create({ title: 'x' })] };
      const refusal = { status: 'rejected', code: 'VALIDATION', reason: 'A task needs a title.' };
      expect((await push(request, resolver)).results).toMatchObject([refusal, { status: 'applied' }]);
      expect((await push(request, resolver)).results).toMatchObject([
        { ...refusal, duplicate: true },
        { duplicate: true },
      ]);
      expect(warnings).toEqual([]);
    },
  );

  it('that hangs is given up and told so, and its mutation is kept for another try', async () => {
    const { push, pull, runTimers } = setUp();
    let onCalled = (_signal: AbortSignal) => {};
    const called = new Promise<AbortSignal>((resolve) => {
      onCalled = resolve;
    });
    const resolver: RecordResolver = {
      ...storeResolver,
      applyMutation: (_mutation, _serverVersion, { signal }) => {
        onCalled(signal);
        return new Promise(() => {});
      },
    };
    const answer = push({ mutations: [create({ n: 1 })] }, resolver);
    const signal = await called;
    expect(signal.aborted).toBe(false);
    runTimers();
    expect((await answer).results).toMatchObject([{ code: 'INTERNAL', retryable: true }]);
    expect(signal.aborted).toBe(true);
    expect((await pull()).serverChanges).toEqual([]);
  });

  it('that has answered leaves no timer behind, nor do rules', async () => {
    const { push, armed } = setUp({ authorize: { read: async () => 'allow' as const, write: async () => true } });
    const resolver: RecordResolver = { getRecord: async () => undefined, applyMutation: async () => undefined };
    expect(brief((await push({ mutations: [create({ n: 1 })] }, resolver)).results)).toEqual(['applied']);
    expect(armed()).toBe(0);
  });

  for (const [lie, value] of [
    ['a number', 7],
    ['a list', []],
    ['an id that is an object, as of MongoDB', { toJSON: () => '65f0a1b2c3d4e5f6a7b8c9d0' }],
    ['a record no JSON can carry', { deep: nested(50) }],
    // The answer of the driver, as an arrow function hands it on.
    ['what SQLite says of a write', { changes: 1, lastInsertRowid: 7 }],
    ['what PostgreSQL says of a statement', { command: 'INSERT', rowCount: 1, oid: 0, rows: [], fields: [] }],
    ['what MongoDB says of an insert', { acknowledged: true, insertedId: '65f0a1b2c3d4e5f6a7b8c9d0' }],
    ['what MongoDB says of an update', { acknowledged: true, matchedCount: 1, modifiedCount: 1, upsertedCount: 0 }],
  ] as const) {
    it(`that returns ${lie} is not believed`, async () => {
      const { push, pull } = setUp();
      const resolver = { ...storeResolver, applyMutation: () => value } as unknown as RecordResolver;
      expect(brief((await push({ mutations: [create({ n: 1 })] }, resolver)).results)).toEqual(['INTERNAL']);
      expect((await pull()).serverChanges).toEqual([]);
    });
  }

  it.each([true, false])(
    'that changes what it stores is what everybody receives, the writer included, transactional %s',
    async (transactional) => {
      const { push, pull } = setUp();
      const resolver: RecordResolver = {
        transactional,
        getRecord: () => undefined,
        applyMutation: (applied) => ({ ...applied.data, slug: 'a-b', _id: 't1', _version: 1 }),
      };
      const { results } = await push({ mutations: [create({ title: 'A B' })] }, resolver);
      expect(results).toMatchObject([{ record: { title: 'A B', slug: 'a-b' } }]);
      expect((await pull()).serverChanges).toMatchObject([{ data: { title: 'A B', slug: 'a-b' } }]);
    },
  );
});
