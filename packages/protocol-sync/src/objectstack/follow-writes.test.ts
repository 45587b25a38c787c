/** Writes in transactions of the application, and of code that a hook has started. */
import { AS_SYSTEM } from '@objectql/sync-types/kernel';
import { SqliteWasmDriver } from '@objectstack/driver-sqlite-wasm';
import type { HookHandler, ObjectQL } from '@objectstack/objectql';
import { expect, it, onTestFinished } from 'vitest';
import { SyncProtocolPlugin } from '../sync-protocol-plugin.js';
import { startKernel } from './kernel.fixture.js';

const system = { context: AS_SYSTEM } as const;
const fields = { title: { type: 'text', label: 'Title' } };
const TASK = { name: 'task', label: 'Task', sync: { enabled: true }, fields };

async function start(driver?: SqliteWasmDriver) {
  const sync = new SyncProtocolPlugin();
  const { stop, engine } = await startKernel({ objects: [TASK], plugins: [sync], driver });
  onTestFinished(stop);
  return {
    // A cast: the service is this class, of which sync itself uses less.
    engine: engine as unknown as ObjectQL,
    ids: async () => (await engine.find('task', {}, system)).map(({ id }) => id),
    async feed() {
      const { serverChanges } = await sync.handler.handlePull({ clientId: 'tablet', lastCheckpoint: null });
      return serverChanges.filter(({ data }) => data).map(({ recordId }) => recordId);
    },
  };
}

const fillDisk: HookHandler = ({ input }) => {
  const { object_name } = input.data as { readonly object_name?: string };
  if (object_name === 'task') throw new Error('the disk is full');
};

it('I11 commits no write that the feed cannot take', async () => {
  const { engine, ids, feed } = await start();
  engine.registerHook('beforeInsert', fillDisk, { object: 'objectstack_sync_record' });
  const written = engine.transaction(() => engine.insert('task', { id: 'a', title: 'A' }, system));
  await expect(written).rejects.toThrow('the disk is full');
  expect([await ids(), await feed()]).toEqual([[], []]);
});

it('I11 commits nothing that a failed write left behind and that is missing in the feed', async () => {
  const { engine, ids, feed } = await start();
  engine.registerHook('beforeInsert', fillDisk, { object: 'objectstack_sync_record' });
  engine.registerHook('afterInsert', async () => Promise.reject(new Error('too late')), { object: 'task' });
  const written = engine.transaction(() => engine.insert('task', { id: 'a', title: 'A' }, system).catch(() => {}));
  await expect(written).rejects.toThrow('the disk is full');
  expect([await ids(), await feed()]).toEqual([[], []]);
});

it('I4 follows what a hook goes on to write that its own write did not await', async () => {
  const { engine, ids, feed } = await start();
  let goOn = () => {};
  const firstIsWritten = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let later: Promise<unknown> | undefined;
  const writeLater: HookHandler = async () => {
    later ??= firstIsWritten.then(() => engine.insert('task', { id: 'later', title: 'B' }, system));
  };
  engine.registerHook('afterInsert', writeLater, { object: 'task' });
  await engine.transaction(async () => {
    await engine.insert('task', { id: 'first', title: 'A' }, system);
    goOn();
    await later;
  });
  expect([await ids(), await feed()]).toEqual([
    ['first', 'later'],
    ['first', 'later'],
  ]);
});

it('I4 follows what a hook goes on to write while the transaction of its own write is versioned', async () => {
  const { engine, ids, feed } = await start();
  let goOn = () => {};
  const isVersioned = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let later: Promise<unknown> | undefined;
  const writeLater: HookHandler = async () => {
    later ??= isVersioned.then(() => engine.insert('task', { id: 'later', title: 'B' }, system));
  };
  engine.registerHook('afterInsert', writeLater, { object: 'task' });
  engine.registerHook('afterInsert', async () => goOn(), { object: 'objectstack_sync_record' });
  await engine.insert('task', { id: 'first', title: 'A' }, system);
  await later;
  expect([await ids(), await feed()]).toEqual([
    ['first', 'later'],
    ['first', 'later'],
  ]);
});

it('I4 follows what a hook begins to write and does not await', async () => {
  const { engine, ids, feed } = await start();
  let other: Promise<unknown> | undefined;
  const writeOther: HookHandler = async () => {
    other ??= engine.insert('task', { id: 'other', title: 'B' }, system);
  };
  engine.registerHook('afterInsert', writeOther, { object: 'task' });
  await engine.insert('task', { id: 'first', title: 'A' }, system);
  await other;
  expect([await ids(), await feed()]).toEqual([
    ['first', 'other'],
    ['first', 'other'],
  ]);
});

it('I4 follows a write that the application does not await in its transaction', async () => {
  const { engine, ids, feed } = await start();
  let written: Promise<unknown> | undefined;
  await engine.transaction(async () => {
    written = engine.insert('task', { id: 'a', title: 'A' }, system);
  });
  await written;
  expect([await ids(), await feed()]).toEqual([['a'], ['a']]);
});

it('I4 follows writes that the application makes in its transaction at the same time', async () => {
  const { engine, ids, feed } = await start();
  await engine.transaction(async () => {
    const names = ['a', 'b', 'c'];
    await Promise.all(names.map((id) => engine.insert('task', { id, title: id }, system)));
    await Promise.all([
      engine.update('task', { id: 'a', title: 'A' }, system),
      engine.delete('task', { where: { id: 'b' }, ...system }),
      engine.delete('task', { where: { id: 'a' }, ...system }),
    ]);
  });
  expect([await ids(), await feed()]).toEqual([['c'], ['c']]);
});

it('goes on though a hook writes a synced record for each write of whatever object, those of sync included', async () => {
  const { engine, ids, feed } = await start();
  const writeLine: HookHandler = async ({ object, input }) => {
    const { id } = input.data as { readonly id?: string };
    if (object !== 'task' || id === 'a') await engine.insert('task', { title: object }, system);
  };
  engine.registerHook('afterInsert', writeLine);
  await engine.insert('task', { id: 'a', title: 'A' }, system);
  await engine.insert('task', { id: 'b', title: 'B' }, system);
  expect([(await ids()).length > 2, (await feed()).includes('a'), (await feed()).includes('b')]).toEqual([
    true,
    true,
    true,
  ]);
});

it('I4 follows writes at the same time that name no transaction', async () => {
  const { engine, ids, feed } = await start();
  const apart = { context: { ...AS_SYSTEM, transaction: null } };
  await Promise.all(['a', 'b', 'c'].map((id) => engine.insert('task', { id, title: id }, apart)));
  expect([await ids(), await feed()]).toEqual([
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
  ]);
});

it('I4 follows what a hook writes after the end of a transaction that only its own write named', async () => {
  const driver = new SqliteWasmDriver({ filename: ':memory:' });
  const { engine, ids, feed } = await start(driver);
  let later: Promise<unknown> | undefined;
  let goOn = () => {};
  const isCommitted = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const writeLater: HookHandler = async () => {
    later ??= isCommitted.then(() => engine.insert('task', { id: 'later', title: 'B' }, system));
  };
  engine.registerHook('afterInsert', writeLater, { object: 'task' });
  await driver.getKnex().transaction(async (transaction) => {
    await engine.insert('task', { id: 'first', title: 'A' }, { context: { ...AS_SYSTEM, transaction } });
  });
  goOn();
  await later;
  expect([await ids(), await feed()]).toEqual([
    ['first', 'later'],
    ['first', 'later'],
  ]);
});

it('answers what the transaction of a Knex callback answers', async () => {
  const driver = new SqliteWasmDriver({ filename: ':memory:' });
  const { engine, feed } = await start(driver);
  const written = driver.getKnex().transaction(async (transaction) => {
    await engine.insert('task', { id: 'a', title: 'A' }, { context: { ...AS_SYSTEM, transaction } });
    return 'done';
  });
  expect([await written, await feed()]).toEqual(['done', ['a']]);
});

it('I11 rejects the transaction of a Knex callback whose writes the feed cannot take', async () => {
  const driver = new SqliteWasmDriver({ filename: ':memory:' });
  const { engine, ids, feed } = await start(driver);
  engine.registerHook('beforeInsert', fillDisk, { object: 'objectstack_sync_record' });
  const written = driver.getKnex().transaction(async (transaction) => {
    await engine.insert('task', { id: 'a', title: 'A' }, { context: { ...AS_SYSTEM, transaction } });
  });
  await expect(written).rejects.toThrow('the disk is full');
  expect([await ids(), await feed()]).toEqual([[], []]);
});
