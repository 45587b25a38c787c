import { AS_SYSTEM, shares } from '@objectql/sync-types/kernel';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { TestClock } from '../platform/test-clock.js';
import { storeModelContract } from '../storage/contract/model.contract.js';
import { sampleState, save } from '../storage/contract/store-samples.js';
import { storeContract } from '../storage/store.contract.js';
import { type Dump, FORMAT_CHANGED, formatOf, GOLDEN, storeWhole } from '../storage/stored-format.fixture.js';
import { setUp } from '../sync-handler.fixture.js';
import { FEED_ID, readFacts } from './engine-facts.js';
import { ENGINE_OBJECTS, EPOCHS, FEED, RECORDS } from './engine-objects.js';
import { digits, rowId } from './engine-rows.js';
import { engineFixtures } from './engine-store.fixture.js';
import { EngineStore, LOOK_MS, LOOK_PATIENCE_MS } from './engine-store.js';
import { startKernel } from './kernel.fixture.js';
import { INSERT_ROWS } from './statement-share.js';

const { open, stop } = engineFixtures();
afterAll(stop);

storeContract(
  'EngineStore',
  { open, abilities: ['reopen', 'openAnother', 'backUp', 'makeNewer', 'notes'] },
  { describe, it, expect },
);
storeModelContract('EngineStore', open, 8);

it('writes the committed format', async () => {
  const { engine, stop: stopKernel } = await startKernel({ objects: [] });
  onTestFinished(stopKernel);
  await using store = new EngineStore(engine);
  await store.open();
  await storeWhole(store);
  const rows: Record<string, Dump['rows'][string]> = {};
  for (const { name, fields } of ENGINE_OBJECTS) {
    const found = await engine.find(name, {}, { context: AS_SYSTEM });
    // The engine adds times of its own.
    rows[name] = found.map((row) => Object.fromEntries(Object.keys(fields).map((field) => [field, row[field]])));
  }
  const tables = ENGINE_OBJECTS.map(({ name, fields, indexes }) => ({ name, fields, indexes }));
  const text = formatOf({ tables, rows });
  await expect(text, FORMAT_CHANGED).toMatchFileSnapshot(`${GOLDEN}engine-store.json`);
});

it('I6 begins one epoch for a process, also where it writes in transactions of the application', async () => {
  const { engine, stop: stopKernel } = await startKernel({ objects: [] });
  onTestFinished(stopKernel);
  const platform = new TestClock();
  const stores = [new EngineStore(engine, { platform }), new EngineStore(engine, { platform })];
  for (const store of stores) await store.open();
  const epochs: unknown[] = [];
  for (const store of [...stores, ...stores]) {
    const written = () => save(store, { records: [sampleState({ recordId: epochs.length })] });
    await engine.transaction(written, AS_SYSTEM, { require: true });
    await platform.advance(0);
    epochs.push((await readFacts(engine, AS_SYSTEM)).epoch);
  }
  const [first, second] = epochs;
  expect(epochs).toEqual([first, second, second, second]);
});

/** As drivers tell of it: what the database said is the cause. */
const lostRace = (code: string) =>
  new Error('The statement failed.', { cause: Object.assign(new Error('Another one came first.'), { code }) });

it.each(['40001', '40P01', '55P03', 'SQLITE_BUSY_SNAPSHOT'])(
  'gives up on %s after five runs, as busy',
  async (code) => {
    const { store, remove } = await open();
    onTestFinished(remove);
    const error = lostRace(code);
    const work = vi.fn(() => Promise.reject(error));
    await expect(store.transaction(work)).rejects.toMatchObject({ name: 'StoreBusyError', cause: error });
    expect(work).toHaveBeenCalledTimes(5);
  },
);

it('runs nothing again that failed by itself, or in a transaction that only its owner can begin again', async () => {
  const { engine, stop: stopKernel } = await startKernel({ objects: [] });
  onTestFinished(stopKernel);
  await using store = new EngineStore(engine);
  await store.open();
  const failed = vi.fn(() => Promise.reject(new Error('It fails.')));
  const lost = vi.fn(() => Promise.reject(lostRace('40001')));
  await expect(store.transaction(failed)).rejects.toThrow('It fails.');
  await expect(engine.transaction(() => store.transaction(lost), AS_SYSTEM, { require: true })).rejects.toThrow(
    'The statement failed.',
  );
  expect([failed.mock.calls.length, lost.mock.calls.length]).toEqual([1, 1]);
});

it.each([
  [2, '40001'],
  // A lock that somebody keeps fails only the write that waits for it.
  [1, '55P03'],
])('runs work %i times of which one write met %s', async (times, code) => {
  const { store, remove } = await open();
  onTestFinished(remove);
  let runs = 0;
  await store.transaction(async (transaction) => {
    runs += 1;
    if (runs === 1) await transaction.savepoint(() => Promise.reject(lostRace(code))).catch(() => {});
  });
  expect(runs).toBe(times);
});

it('drops of more than a thousand epochs those that lie below the floor', async () => {
  const { engine, stop: stopKernel } = await startKernel({ objects: [] });
  onTestFinished(stopKernel);
  await using store = new EngineStore(engine);
  await store.open();
  const ended = Array.from({ length: 1010 }, (_, index) => ({ epoch: `e${index + 1}`, last_place: digits(index + 1) }));
  for (const some of shares(ended, INSERT_ROWS)) {
    const rows = some.map((row) => ({ id: rowId(row.epoch), ...row }));
    await engine.insert(EPOCHS, rows, { context: AS_SYSTEM });
  }
  const first: unknown[] = [];
  for (const floor of [5, 500]) {
    await engine.update(FEED, { id: FEED_ID, floor: digits(floor) }, { context: AS_SYSTEM });
    await store.prune({ before: 0, limit: 10 });
    const oldest = { orderBy: [{ field: 'last_place', order: 'asc' }], limit: 1 } as const;
    first.push(...(await engine.find(EPOCHS, oldest, { context: AS_SYSTEM })).map(({ epoch }) => epoch));
  }
  expect(first).toEqual(['e5', 'e10']);
});

it('keeps its state in objects without the fields that ObjectStack adds to others', async () => {
  const { engine, stop: stopKernel } = await startKernel({ objects: [] });
  onTestFinished(stopKernel);
  await new EngineStore(engine).open();
  const { fields = {} } = engine.registry.getObject(FEED) ?? {};
  expect(Object.keys(fields)).toEqual(['epoch', 'head', 'floor', 'version_floor', 'schema_version']);
});

it('I4 ends no walk with a page into each of whose readings a commit came', async () => {
  const { engine, stop: stopKernel } = await startKernel({ objects: [] });
  onTestFinished(stopKernel);
  const [store, elsewhere] = [new EngineStore(engine), new EngineStore(engine)];
  for (const each of [store, elsewhere]) await each.open();
  onTestFinished(() => elsewhere.close());
  const { pull, handler } = setUp({ store });
  onTestFinished(() => handler.close());
  for (const recordId of ['stays', 'moves']) await save(elsewhere, { records: [sampleState({ recordId })] });
  const find = engine.find.bind(engine);
  let commits = 0;
  engine.find = async (...asked: Parameters<typeof find>) => {
    if (asked[0] === RECORDS && 'place' in (asked[1]?.where ?? {}) && commits < 5) {
      commits += 1;
      await save(elsewhere, { records: [sampleState({ recordId: 'moves', version: 1 + commits })] });
    }
    return find(...asked);
  };
  const pulled = [await pull()];
  pulled.push(await pull(pulled[0]?.checkpoint));
  const brief = pulled.map(({ serverChanges, hasMore }) => [serverChanges.map(({ recordId }) => recordId), hasMore]);
  expect([commits, ...brief]).toEqual([5, [['stays'], true], [['moves'], false]]);
});

it('says what is wrong, and what to do, where the facts of the store are gone', async () => {
  const { engine, stop: stopKernel } = await startKernel({ objects: [] });
  onTestFinished(stopKernel);
  const store = new EngineStore(engine);
  await store.open();
  await engine.delete(FEED, { where: { id: FEED_ID }, context: AS_SYSTEM });
  const message = `The object ${FEED} is empty: sync's state is damaged. Restore it from a backup.`;
  await expect(store.page({ after: 0, limit: 1 })).rejects.toThrow(message);
});

it('I13 looks again for commits of other processes after the database never answered', async () => {
  const { engine, stop: stopKernel } = await startKernel({ objects: [] });
  onTestFinished(stopKernel);
  const platform = new TestClock();
  const [here, elsewhere] = [new EngineStore(engine, { platform }), new EngineStore(engine)];
  for (const store of [here, elsewhere]) await store.open();
  onTestFinished(() => elsewhere.close());
  const heard = new Promise((resolve) => here.onCommit(resolve));
  await save(elsewhere, { records: [sampleState()] });
  const { findOne } = engine;
  engine.findOne = () => new Promise(() => {});
  await platform.advance(LOOK_MS);
  engine.findOne = findOne;
  await platform.advance(LOOK_PATIENCE_MS);
  await platform.advance(LOOK_MS);
  expect(await heard).toBe(1);
});
