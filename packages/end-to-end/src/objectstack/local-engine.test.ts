import { SyncPlugin } from '@objectql/plugin-sync';
import { createKernel } from '@objectql/plugin-sync/kernel';
import { DataEngineSync } from '@objectql/plugin-sync/objectstack';
import { SyncHandler } from '@objectql/protocol-sync';
import type { KernelPlugin } from '@objectql/sync-types/kernel';
import { SqliteWasmDriver } from '@objectstack/driver-sqlite-wasm';
import { ObjectQLPlugin } from '@objectstack/objectql';
import { DriverPlugin } from '@objectstack/runtime';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../../../plugin-sync/test/fixtures/eventually.js';
import {
  changeTitle,
  failing,
  startDevice,
  system,
  temporaryDirectory,
  titlesAt,
  writer,
} from './local-device.fixture.js';

it('I4 ends with the same records in every local engine, whatever was written while offline', async () => {
  const server = new SyncHandler({ strategy: 'last-write-wins' });
  const a = await startDevice(server, { name: 'a' });
  const b = await startDevice(server, { name: 'b' });
  await a.engine.insert('task', { id: 't1', title: 'Buy milk' }, system);
  await a.engine.insert('task', { id: 't2', title: 'Buy bread' }, system);
  await a.exchange();
  await b.exchange();
  a.network.isOffline = true;
  b.network.isOffline = true;
  await a.engine.update('task', { id: 't1', title: 'Buy oat milk' }, system);
  await b.engine.update('task', { id: 't1', status: 'done' }, system);
  await b.engine.delete('task', { where: { id: 't2' }, ...system });
  await b.engine.transaction(async () => {
    await b.engine.insert('task', { id: 't3', title: 'Buy cream' }, system);
    await b.engine.update('task', { id: 't3', status: 'late' }, system);
  });
  a.network.isOffline = false;
  b.network.isOffline = false;
  for (const device of [a, b, a, b]) await device.exchange();
  const expected = { t1: 'Buy oat milk (done)', t3: 'Buy cream (late)' };
  expect([await a.tasks(), await b.tasks()]).toEqual([expected, expected]);
});

it('I4 syncs an object whose name the engine shortens', async () => {
  const server = new SyncHandler();
  const [a, b] = await Promise.all(['a', 'b'].map((name) => startDevice(server, { name, object: 'crm__task' })));
  await a?.engine.insert('crm__task', { id: 't1', title: 'Buy milk' }, system);
  await a?.exchange();
  await b?.exchange();
  await b?.engine.update('crm__task', { id: 't1', status: 'done' }, system);
  for (const device of [b, a]) await device?.exchange();
  expect([await a?.tasks(), b?.failures]).toEqual([{ t1: 'Buy milk (done)' }, []]);
});

it('refuses to sync an object by the name to which the engine shortens its own', async () => {
  const device = startDevice(new SyncHandler(), { name: 'a', object: 'crm__task', synced: ['task'] });
  await expect(device).rejects.toThrow("there is no object 'task' in the local data engine");
});

it('starts behind the client and the engine, in whatever order a kernel is given them', async () => {
  const transport = { push: () => Promise.reject(new Error('offline')) };
  const driver = new DriverPlugin(new SqliteWasmDriver({ filename: ':memory:' }));
  // A cast: ObjectStack's plugins have more of the same contract than is used here.
  const data = [driver, new ObjectQLPlugin()] as readonly unknown[] as readonly KernelPlugin[];
  const sync = new SyncPlugin({ clientId: 'a', transport }) as KernelPlugin;
  const plugins = [new DataEngineSync(), sync, ...data];
  const kernel = createKernel({ plugins, config: { gracefulShutdown: false, logger: { level: 'silent' } } });
  onTestFinished(() => kernel.shutdown());
  await kernel.start();
  expect(kernel.isRunning()).toBe(true);
});

it('records nothing of what it was sent, and nothing of what was rolled back', async () => {
  const server = new SyncHandler();
  const a = await startDevice(server, { name: 'a' });
  await server.recordChange({
    objectName: 'task',
    recordId: 't1',
    operation: 'create',
    data: { title: 'From the server' },
  });
  await a.exchange();
  const failing = a.engine.transaction(async () => {
    await a.engine.insert('task', { id: 't2', title: 'Never' }, system);
    throw new Error('changed my mind');
  });
  await expect(failing).rejects.toThrow('changed my mind');
  await a.exchange();
  expect([await a.tasks(), a.sync.client.status.pending]).toEqual([{ t1: 'From the server (null)' }, 0]);
  const { serverChanges } = await server.handlePull({ clientId: 'x', lastCheckpoint: null });
  expect(serverChanges.map(({ recordId, serverVersion }) => [recordId, serverVersion])).toEqual([['t1', 1]]);
});

it('I1 keeps pending work over a restart, and records what was in the engine before sync', async () => {
  const server = new SyncHandler();
  const directory = temporaryDirectory();
  const before = await startDevice(server, { name: 'a', directory });
  before.network.isOffline = true;
  await before.local.destroy();
  await before.engine.insert('task', { id: 'older', title: 'Not followed' }, system);
  await before.stop();
  const first = await startDevice(server, { name: 'a', directory });
  first.network.isOffline = true;
  await first.engine.insert('task', { id: 't1', title: 'Written offline' }, system);
  await first.stop();
  await first.local.destroy();
  const second = await startDevice(server, { name: 'a', directory });
  await second.exchange();
  const { serverChanges } = await server.handlePull({ clientId: 'x', lastCheckpoint: null });
  expect(serverChanges.map(({ recordId, data }) => [recordId, data?.title, data?.status])).toEqual([
    ['older', 'Not followed', 'new'],
    ['t1', 'Written offline', 'new'],
  ]);
});

it.each(['start', 'destroy'] as const)('I1 records what another plugin writes in its own %s', async (when) => {
  const server = new SyncHandler();
  const { directory, ...first } = await startDevice(server, { name: 'a' });
  await first.engine.insert('task', { id: 't1', title: 'Buy milk' }, system);
  await first.exchange();
  await first.stop();
  const writing = writer(({ engine, event }) => {
    if (event === when) return engine.update('task', { id: 't1', title: 'Buy oat milk' }, system);
  });
  const second = await startDevice(server, { name: 'a', directory, plugins: [writing] });
  await second.exchange();
  await second.stop();
  const third = await startDevice(server, { name: 'a', directory });
  await third.exchange();
  const { t1 } = await third.tasks();
  expect([t1, await titlesAt(server)]).toEqual(['Buy oat milk (new)', { t1: 'Buy oat milk' }]);
  expect(second.failures).toEqual([]);
});

it('writes nothing into an engine that it has left, and has written all when it is settled there again', async () => {
  const server = new SyncHandler();
  const { directory, ...first } = await startDevice(server, { name: 'a' });
  await first.exchange();
  await first.local.destroy();
  await changeTitle(server, 'Buy milk');
  await first.sync.syncAll();
  // Behind what would have been written.
  await first.engine.transaction(async () => {}, {}, { require: true });
  const afterwards = await first.engine.find('task', {}, system);
  await first.stop();
  const second = await startDevice(server, { name: 'a', directory });
  expect([afterwards, await second.tasks()]).toEqual([[], { t1: 'Buy milk (new)' }]);
});

it('records files as they are stored, by their ids', async () => {
  const server = new SyncHandler();
  const directory = temporaryDirectory();
  const sent = async () => {
    const { serverChanges } = await server.handlePull({ clientId: 'x', lastCheckpoint: null });
    return serverChanges.map(({ data }) => data?.photo);
  };
  const before = await startDevice(server, { name: 'a', directory, isSynced: false });
  for (const id of ['file-1', 'file-2']) await before.engine.insert('sys_file', { id, status: 'committed' }, system);
  await before.engine.insert('task', { id: 't1', title: 'Paint the door', photo: 'file-1' }, system);
  await before.stop();
  const a = await startDevice(server, { name: 'a', directory });
  await a.exchange();
  const enrolled = await sent();
  await a.engine.update('task', { id: 't1', photo: 'file-2' }, system);
  await a.exchange();
  expect([enrolled, await sent()]).toEqual([['file-1'], ['file-2']]);
});

it('I1 records what is written while the records from before sync are', async () => {
  const server = new SyncHandler({ strategy: 'last-write-wins' });
  const { directory, ...before } = await startDevice(server, { name: 'a', isSynced: false });
  await before.engine.insert('task', { id: 't1', title: 'Buy milk' }, system);
  await before.stop();
  let written: Promise<unknown> | undefined;
  const writing = writer(({ engine, event }) => {
    if (event !== 'find task') return;
    written ??= engine.update('task', { id: 't1', title: 'Buy oat milk' }, system);
  });
  const a = await startDevice(server, { name: 'a', directory, plugins: [writing] });
  await written;
  await a.exchange();
  const { t1 } = await a.tasks();
  expect([t1, await titlesAt(server)]).toEqual(['Buy oat milk (new)', { t1: 'Buy oat milk' }]);
});

it('I4 writes what the server sent into the engine after all when that fails at first', async () => {
  const server = new SyncHandler();
  const change = (title: string) => changeTitle(server, title);
  await change('Buy milk');
  let isBroken = false;
  const broken = failing(({ operation }) => isBroken && operation === 'update');
  const a = await startDevice(server, { name: 'a', plugins: [broken] });
  await a.exchange();
  isBroken = true;
  await change('Buy oat milk');
  await a.exchange();
  const meanwhile = await a.tasks();
  isBroken = false;
  await eventually(async () => expect(await a.tasks()).toEqual({ t1: 'Buy oat milk (new)' }));
  expect([meanwhile, new Set(a.failures)]).toEqual([{ t1: 'Buy milk (new)' }, new Set(['The disk is full.'])]);
});

it('I4 deletes what an earlier process had no time to delete, also when the first look at the engine fails', async () => {
  const server = new SyncHandler();
  await changeTitle(server, 'Buy milk');
  const full = failing(({ operation, object }) => operation === 'delete' && object === 'task');
  const before = await startDevice(server, { name: 'a', plugins: [full] });
  await before.exchange();
  await server.recordChange({ objectName: 'task', recordId: 't1', operation: 'delete' });
  await before.exchange();
  expect(await before.tasks()).toEqual({ t1: 'Buy milk (new)' });
  await before.stop();
  let isBroken = true;
  // The same question is asked before in a transaction, about what was there before sync.
  const busy = failing(
    ({ object, context }) => isBroken && object === 'objectstack_sync_known' && context?.transaction === undefined,
  );
  const a = await startDevice(server, { name: 'a', directory: before.directory, plugins: [busy] });
  await eventually(() => expect(a.failures).toContain('The disk is full.'));
  isBroken = false;
  expect(await a.tasks()).toEqual({});
});

it('notes once that it knows a record, however often the server changes it', async () => {
  const server = new SyncHandler();
  const a = await startDevice(server, { name: 'a' });
  for (const title of ['Buy milk', 'Buy oat milk', 'Buy rice milk']) {
    await changeTitle(server, title);
    await a.exchange();
  }
  expect([await a.tasks(), await a.engine.count('objectstack_sync_known', {}, system)]).toEqual([
    { t1: 'Buy rice milk (new)' },
    1,
  ]);
});

it('I1 writes nothing over what the app wrote and could not be recorded yet', async () => {
  const server = new SyncHandler();
  let isBroken = false;
  const busy = failing(
    ({ operation, object, context }) =>
      isBroken && operation === 'find' && object === 'objectstack_sync_outbox' && context?.transaction === undefined,
  );
  const a = await startDevice(server, { name: 'a', plugins: [busy] });
  await changeTitle(server, 'Buy milk');
  await a.exchange();
  isBroken = true;
  await a.engine.update('task', { id: 't1', title: 'Buy oat milk' }, system);
  await changeTitle(server, 'Buy cream');
  await a.exchange();
  expect([await a.tasks(), a.sync.client.status.pending]).toEqual([{ t1: 'Buy oat milk (new)' }, 0]);
});

it('refuses a write that no server would take, and records those behind it', async () => {
  const server = new SyncHandler();
  const a = await startDevice(server, { name: 'a' });
  const tooLarge = a.engine.insert('task', { id: 't1', title: 'x'.repeat(300_000) }, system);
  await expect(tooLarge).rejects.toThrow('300012 bytes large');
  await a.engine.insert('task', { id: 't2', title: 'behind it' }, system);
  await a.exchange();
  expect([await a.tasks(), await titlesAt(server)]).toEqual([{ t2: 'behind it (new)' }, { t2: 'behind it' }]);
});

it('leaves a record from before sync alone while no server would take it', async () => {
  const server = new SyncHandler();
  const directory = temporaryDirectory();
  const before = await startDevice(server, { name: 'a', directory, isSynced: false });
  await before.engine.insert('task', { id: 't1', title: 'x'.repeat(300_000) }, system);
  await before.engine.insert('task', { id: 't2', title: 'fits' }, system);
  await before.stop();
  const a = await startDevice(server, { name: 'a', directory });
  await a.exchange();
  expect([Object.keys(await a.tasks()), await titlesAt(server)]).toEqual([['t1', 't2'], { t2: 'fits' }]);
  expect(a.failures).toEqual([expect.stringContaining('300027 bytes large')]);
  await a.engine.update('task', { id: 't1', title: 'shortened' }, system);
  await a.exchange();
  expect(await titlesAt(server)).toEqual({ t1: 'shortened', t2: 'fits' });
  // All of it, and not the change alone.
  const { serverChanges } = await server.handlePull({ clientId: 'x', lastCheckpoint: null });
  expect(serverChanges.map(({ data }) => data?.status)).toEqual(['new', 'new']);
});

it('sends nothing of a delete that the server need not know of, and of an update that changes nothing', async () => {
  const server = new SyncHandler();
  const directory = temporaryDirectory();
  const before = await startDevice(server, { name: 'a', directory, isSynced: false });
  await before.engine.insert('task', { id: 'large', title: 'x'.repeat(300_000) }, system);
  await before.engine.insert('task', { id: 't1', title: 'Buy milk' }, system);
  await before.stop();
  const a = await startDevice(server, { name: 'a', directory });
  await a.exchange();
  a.network.isOffline = true;
  await a.engine.delete('task', { where: { id: 'large' }, ...system });
  await a.engine.update('task', { id: 't1', title: 'Buy milk' }, system);
  expect(a.sync.client.status.pending).toBe(0);
  a.network.isOffline = false;
  await a.exchange();
  const { serverChanges } = await server.handlePull({ clientId: 'x', lastCheckpoint: null });
  expect(serverChanges.map(({ recordId, serverVersion }) => [recordId, serverVersion])).toEqual([['t1', 1]]);
  expect(a.sync.client.deadLetters.list()).toEqual([]);
});

it('leaves those records alone whose ids the engine takes for placeholders, and syncs all others', async () => {
  const server = new SyncHandler();
  const directory = temporaryDirectory();
  const before = await startDevice(server, { name: 'a', directory, isSynced: false });
  await before.engine.insert('task', { id: '{8F2C}', title: 'odd' }, system);
  await before.engine.insert('task', { id: 't1', title: 'even' }, system);
  await before.stop();
  const a = await startDevice(server, { name: 'a', directory });
  for (const id of ['{today}', '{4D1E}']) await a.engine.insert('task', { id, title: 'odd' }, system);
  await server.recordChange({ objectName: 'task', recordId: '{9A0C}', operation: 'create', data: { title: 'odd' } });
  await server.recordChange({ objectName: 'task', recordId: 't2', operation: 'create', data: { title: 'even' } });
  await a.exchange();
  expect(Object.keys(await a.tasks()).sort()).toEqual(['t1', 't2', '{4D1E}', '{8F2C}', '{today}']);
  expect(await titlesAt(server)).toEqual({ t1: 'even', t2: 'even', '{9A0C}': 'odd' });
  expect(a.failures.map((message) => message.split(' ')[1])).toEqual(['{8F2C}', '{today}', '{4D1E}', '{9A0C}']);
});

it('I2 applies a write once whose note outlives its recording', async () => {
  const server = new SyncHandler({ strategy: 'last-write-wins' });
  const directory = temporaryDirectory();
  const a = await startDevice(server, { name: 'a', directory });
  const b = await startDevice(server, { name: 'b' });
  await a.engine.insert('task', { id: 't1', title: 'first' }, system);
  a.engine.registerMiddleware(async ({ object, operation }, next) => {
    if (object === 'objectstack_sync_outbox' && operation === 'delete') throw new Error('the disk is gone');
    return next();
  });
  await a.engine.update('task', { id: 't1', title: 'of a' }, system);
  await a.exchange();
  await b.exchange();
  await b.engine.update('task', { id: 't1', title: 'of b' }, system);
  await b.exchange();
  await a.exchange();
  await a.stop();
  await a.local.destroy();
  const again = await startDevice(server, { name: 'a', directory });
  await again.exchange();
  expect([await titlesAt(server), await again.tasks()]).toEqual([{ t1: 'of b' }, { t1: 'of b (new)' }]);
});

it('receives what is pull-only, and refuses to write it', async () => {
  const server = new SyncHandler();
  const writer = await startDevice(server, { name: 'writer' });
  const reader = await startDevice(server, {
    name: 'reader',
    objects: { task: { enabled: true, direction: 'pull-only' } },
  });
  await writer.engine.insert('task', { id: 't1', title: 'For reading' }, system);
  await writer.exchange();
  await reader.exchange();
  await expect(reader.engine.update('task', { id: 't1', title: 'Mine' }, system)).rejects.toThrow('task is pull-only');
  await writer.engine.update('task', { id: 't1', status: 'changed' }, system);
  await writer.exchange();
  await reader.exchange();
  expect([await reader.tasks(), reader.sync.client.status.pending]).toEqual([{ t1: 'For reading (changed)' }, 0]);
});
