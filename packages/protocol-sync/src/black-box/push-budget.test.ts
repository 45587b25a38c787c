import { expect, it, onTestFinished } from 'vitest';
import { systemPlatform } from '../platform/platform.js';
import type { RecordResolver } from '../records/record-resolver.js';
import { openSqliteFixture } from '../storage/sqlite/sqlite-store.fixture.js';
import { brief, create, mutation, setUp } from '../sync-handler.fixture.js';

it('I3 lets no change of a record overtake one that found no time left, when the clock is set back', async () => {
  const { handler } = setUp();
  const clock = { isAhead: false };
  const platform = {
    now: () => {
      const now = Date.parse('2026-03-01T12:00:00.000Z') + (clock.isAhead ? 60_000 : 0);
      clock.isAhead = false;
      return now;
    },
    randomId: () => 'id',
    setTimer: () => () => {},
  };
  const { push } = setUp({ platform, store: handler.store });
  // Ahead once, when it is asked whether there is time for the second mutation.
  const resolver: RecordResolver = {
    transactional: true,
    getRecord: async () => undefined,
    applyMutation: async ({ recordId }) => {
      clock.isAhead = recordId === 'other';
    },
  };
  const mutations = [create({}, { recordId: 'other' }), create({ n: 1 }), mutation({ data: { n: 2 } })];
  expect(brief((await push({ mutations }, resolver)).results)).toEqual([
    'applied',
    'BATCH_TOO_LARGE',
    'BATCH_TOO_LARGE',
  ]);
  expect(brief((await push({ mutations }, resolver)).results)).toEqual(['applied', 'applied', 'applied']);
});

for (const transactional of [true, false]) {
  it(`begins nothing where it had to wait too long for its turn (transactional: ${transactional})`, async () => {
    const clock = { now: Date.parse('2026-03-01T12:00:00.000Z') };
    const { push, pull, handler } = setUp({
      platform: { now: () => clock.now, randomId: () => 'id', setTimer: () => () => {} },
    });
    const { transaction } = handler.store;
    handler.store.transaction = (work) => {
      clock.now += handler.limits.pushBudgetMs + 1;
      return transaction.call(handler.store, work) as never;
    };
    const resolver: RecordResolver = { transactional, getRecord: () => undefined, applyMutation: () => undefined };
    const mutations = ['a', 'b'].map((recordId) => create({}, { recordId }));
    expect(brief((await push({ mutations }, resolver)).results)).toEqual(['BUSY', 'BATCH_TOO_LARGE']);
    expect((await pull()).serverChanges).toEqual([]);
  });

  it(`sends back what it has no time for as too much for one push (transactional: ${transactional})`, async () => {
    const clock = { now: Date.parse('2026-03-01T12:00:00.000Z') };
    const platform = { ...systemPlatform, now: () => clock.now };
    const { push, handler } = setUp({ platform });
    const resolver: RecordResolver = {
      transactional,
      getRecord: async () => undefined,
      applyMutation: async () => {
        clock.now += handler.limits.pushBudgetMs / 2;
      },
    };
    const mutations = ['a', 'b', 'c', 'd', 'e'].map((recordId) => create({}, { recordId }));
    const tooMuch = ['BATCH_TOO_LARGE', 'BATCH_TOO_LARGE'];
    expect(brief((await push({ mutations }, resolver)).results)).toEqual(['applied', 'applied', 'applied', ...tooMuch]);
    expect(brief((await push({ mutations: mutations.slice(3) }, resolver)).results)).toEqual(['applied', 'applied']);
  });
}

it.each([
  ['in the store', undefined],
  ['outside of the transaction', { getRecord: () => undefined, applyMutation: () => undefined }],
])('lets others have their turn while it decides for long, applied %s', async (_where, resolver) => {
  let now = Date.parse('2026-03-01T12:00:00.000Z');
  const platform = { ...systemPlatform, now: () => (now += 10) };
  const { push } = setUp({ platform });
  let isServed = false;
  setImmediate(() => {
    isServed = true;
  });
  await push({ mutations: Array.from({ length: 20 }, (_, n) => create({ n }, { recordId: n })) }, resolver);
  expect(isServed).toBe(true);
});

it.each([
  ['in the store', undefined],
  ['outside of the transaction', { getRecord: () => undefined, applyMutation: () => undefined }],
])('gives nobody a turn in which SQLite is locked, applied %s', async (_where, resolver) => {
  const { store, connect, remove } = await openSqliteFixture();
  onTestFinished(remove);
  let now = Date.parse('2026-03-01T12:00:00.000Z');
  const { push } = setUp({ store, platform: { ...systemPlatform, now: () => (now += 10) } });
  await push({});
  const other = connect();
  other.exec('PRAGMA busy_timeout = 0');
  const written = new Promise((resolve) => setImmediate(resolve)).then(() =>
    other.exec("INSERT INTO notes VALUES ('of the application')"),
  );
  const mutations = Array.from({ length: 20 }, (_, n) => create({ n }, { recordId: n }));
  const [{ results }] = await Promise.all([push({ mutations }, resolver), written]);
  expect(new Set(brief(results))).toEqual(new Set(['applied']));
});

it('leaves a SQLite file to others after two seconds', async () => {
  const { store, remove } = await openSqliteFixture();
  onTestFinished(remove);
  const clock = { now: Date.parse('2026-03-01T12:00:00.000Z') };
  const { push } = setUp({ store, platform: { ...systemPlatform, now: () => clock.now } });
  const resolver: RecordResolver = {
    transactional: true,
    getRecord: () => undefined,
    applyMutation: () => {
      clock.now += 1500;
    },
  };
  const mutations = ['a', 'b', 'c'].map((recordId) => create({}, { recordId }));
  expect(brief((await push({ mutations }, resolver)).results)).toEqual(['applied', 'applied', 'BATCH_TOO_LARGE']);
});
