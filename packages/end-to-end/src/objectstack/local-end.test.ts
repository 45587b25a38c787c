/** What a local engine is asked for when sync has ended on it. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MemoryStorage } from '@objectql/plugin-sync';
import { TestPlatform } from '@objectql/plugin-sync/testing';
import { SyncHandler } from '@objectql/protocol-sync';
import { expect, it } from 'vitest';
import { eventually } from '../../../plugin-sync/test/fixtures/eventually.js';
import { changeTitle, failing, passing, startDevice, system } from './local-device.fixture.js';

/** A plugin of the app that holds what sync asks the engine of its own, outside of transactions, until `goOn`. */
function holding(object: string) {
  const held = { asked: 0, isHolding: false, goOn: () => {} };
  const gate = new Promise<void>((resolve) => {
    held.goOn = resolve;
  });
  const plugin = passing('holding', async (operation, next) => {
    const isOwn = operation.object === object && operation.context?.transaction === undefined;
    if (held.isHolding && isOwn && operation.operation === 'find') {
      held.asked += 1;
      await gate;
    }
    await next();
  });
  return Object.assign(held, { plugin });
}

/** A server with three tasks. */
async function serverOfThree(): Promise<SyncHandler> {
  const server = new SyncHandler();
  const change = { objectName: 'task', operation: 'update', data: { title: 'Buy milk' } } as const;
  for (const recordId of ['t1', 't2', 't3']) await server.recordChange({ ...change, recordId });
  return server;
}

/** A plugin of the app that calls `end` when the first task has been written into the engine. */
function endingAtFirst(end: () => Promise<void>) {
  const ending = { ended: undefined as Promise<void> | undefined };
  const plugin = passing('ending', async ({ operation, object }, next) => {
    await next();
    if (operation === 'insert' && object === 'task') ending.ended ??= end();
  });
  return Object.assign(ending, { plugin });
}

it('asks nothing of the engine any more when it ends while it looks what is gone since an earlier process', async () => {
  const held = holding('objectstack_sync_known');
  const { sync, local, network } = await startDevice(new SyncHandler(), {
    name: 'a',
    plugins: [held.plugin],
    synced: ['task', 'sys_file'],
    storage: new MemoryStorage(),
    isOffline: true,
  });
  await local.settled();
  held.isHolding = true;
  network.isOffline = false;
  await sync.syncAll();
  await eventually(() => expect(held.asked).toBe(1));
  const ended = local.destroy();
  held.goOn();
  await ended;
  await nextTurn();
  expect(held.asked).toBe(1);
});

it('ends after the record that it is writing, and writes the others at the next start', async () => {
  const server = await serverOfThree();
  const ending = endingAtFirst(() => device.local.destroy());
  const device = await startDevice(server, { name: 'a', plugins: [ending.plugin] });
  await device.exchange();
  await ending.ended;
  const written = await device.engine.find('task', {}, system);
  await device.stop();
  const { exchange, tasks } = await startDevice(server, { name: 'a', directory: device.directory });
  await exchange();
  expect([written.length, Object.keys(await tasks()).length]).toEqual([1, 3]);
});

it('reports nothing where a kernel ends its client first', async () => {
  const ending = endingAtFirst(() => device.stop());
  const device = await startDevice(await serverOfThree(), { name: 'a', plugins: [ending.plugin] });
  await device.sync.syncAll();
  await eventually(() => expect(ending.ended).toBeDefined());
  await ending.ended;
  expect(device.failures).toEqual([]);
});

it('I8 bases what the app writes after the end on what the engine shows, not on what could not be written', async () => {
  const bases: unknown[] = [];
  const server = new SyncHandler({
    authorize: { write: ({ mutation }) => bases.push([mutation.recordId, mutation.baseVersion]) > 0 },
  });
  const change = (recordId: string, title: string) =>
    server.recordChange({ objectName: 'task', recordId, operation: 'update', data: { title } });
  for (const recordId of ['t1', 't2']) await change(recordId, 'Buy milk');
  let goOn = () => {};
  const gate = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const held = passing('held', async ({ operation, object }, next) => {
    if (operation === 'update' && object === 'task') await gate;
    await next();
  });
  const device = await startDevice(server, { name: 'a', plugins: [held] });
  await device.exchange();
  await change('t1', 'Buy bread');
  await device.sync.syncAll();
  await change('t2', 'Buy bread');
  await device.sync.syncAll();
  const settled = device.local.settled();
  const ended = device.local.destroy();
  goOn();
  await Promise.all([settled, ended]);
  await device.engine.update('task', { id: 't2', title: 'Buy milk and honey' }, system);
  await device.stop();
  const { exchange } = await startDevice(server, { name: 'a', directory: device.directory });
  await exchange();
  expect(bases[0]).toEqual(['t2', 1]);
});

it('ends when what is being recorded is, as the engine may be closed then', async () => {
  const held = holding('objectstack_sync_outbox');
  const { sync, local, engine } = await startDevice(new SyncHandler(), {
    name: 'a',
    plugins: [held.plugin],
    storage: new MemoryStorage(),
    isOffline: true,
  });
  held.isHolding = true;
  const written = engine.insert('task', { id: 't1', title: 'Buy milk' }, system);
  await eventually(() => expect(held.asked).toBe(1));
  const pending = local.destroy().then(() => sync.client.status.pending);
  await nextTurn();
  held.goOn();
  expect(await pending).toBe(1);
  await written;
});

it('ends when the record that it is writing is written, as the engine may be closed then', async () => {
  let isBegun = false;
  let isWritten = false;
  let goOn = () => {};
  const gate = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const held = passing('held', async ({ operation, object }, next) => {
    if (operation !== 'insert' || object !== 'task') return next();
    isBegun = true;
    await gate;
    await next();
    isWritten = true;
  });
  const { sync, local } = await startDevice(await serverOfThree(), { name: 'a', plugins: [held] });
  await sync.syncAll();
  await eventually(() => expect(isBegun).toBe(true));
  const ended = local.destroy().then(() => isWritten);
  await nextTurn();
  goOn();
  expect(await ended).toBe(true);
});

it('leaves nothing to be tried later, neither what it could not record nor what it could not write', async () => {
  const server = new SyncHandler();
  const platform = new TestPlatform();
  const full = failing(
    ({ operation, object, data }) =>
      (operation === 'insert' && Object(data).id === 't1') ||
      (operation === 'delete' && object === 'objectstack_sync_outbox'),
  );
  const { sync, local, engine, exchange } = await startDevice(server, {
    name: 'a',
    plugins: [full],
    storage: new MemoryStorage(),
    platform,
  });
  await changeTitle(server, 'Buy milk');
  await exchange();
  await engine.insert('task', { id: 't2', title: 'Buy bread' }, system);
  await local.settled();
  const before = platform.pendingTimersMs.length;
  await local.destroy();
  await sync.close();
  expect([before, platform.pendingTimersMs]).toEqual([3, []]);
});
