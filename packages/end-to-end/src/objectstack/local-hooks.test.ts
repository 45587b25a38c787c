/** Hooks of a local engine that write other synced records, also without awaiting it. */
import { SyncHandler } from '@objectql/protocol-sync';
import type { HookHandler, ObjectQL } from '@objectstack/objectql';
import { expect, it } from 'vitest';
import { eventually } from '../../../plugin-sync/test/fixtures/eventually.js';
import { failing, startDevice, system, titlesAt } from './local-device.fixture.js';

const created = { operation: 'update', objectName: 'task' } as const;

/** Calls `hook` after each write of the task. */
function hookOn(engine: ObjectQL, recordId: string, hook: () => Promise<void>) {
  const handler = async ({ result }: { readonly result?: unknown }) => {
    if (Object(result).id === recordId) await hook();
  };
  for (const event of ['afterInsert', 'afterUpdate']) engine.registerHook(event, handler, { object: 'task' });
}

it('I4 shows what the server has of a record that a hook changed meanwhile', async () => {
  const server = new SyncHandler();
  const device = await startDevice(server, { name: 'a' });
  hookOn(device.engine, 'item', async () => {
    await device.engine.update('task', { id: 'list', title: 'List!' }, system);
  });
  await server.recordChange({ ...created, recordId: 'list', data: { title: 'List' } });
  await device.exchange();
  await server.recordChange({ ...created, recordId: 'item', data: { title: 'Item' } });
  await device.exchange();
  expect([await device.tasks(), device.failures]).toEqual([{ list: 'List (null)', item: 'Item (null)' }, []]);
  // What the app itself brings about is the user's work.
  await device.engine.update('task', { id: 'item', title: 'Mine' }, system);
  await device.exchange();
  expect([await device.tasks(), (await server.getRecord('task', 'list'))?.data.title]).toEqual([
    { list: 'List! (null)', item: 'Mine (null)' },
    'List!',
  ]);
});

it('I4 shows what the server has of a record that a hook makes something else of, or a default', async () => {
  const server = new SyncHandler();
  const device = await startDevice(server, { name: 'a' });
  const stamp = async ({ input }: { readonly input?: unknown }) => {
    Object(input).data.title = 'By hook';
  };
  device.engine.registerHook('beforeInsert', stamp, { object: 'task' });
  await server.recordChange({ ...created, recordId: 't1', data: { title: 'By the server' } });
  await device.exchange();
  expect([await device.tasks(), device.failures]).toEqual([{ t1: 'By the server (null)' }, []]);
});

it('I4 ends where two hooks answer each other, with what the server has', async () => {
  const server = new SyncHandler();
  const device = await startDevice(server, { name: 'a' });
  for (const recordId of ['one', 'two']) await server.recordChange({ ...created, recordId, data: { title: recordId } });
  await device.exchange();
  let isInHook = false;
  const answerWith = (other: string) => async () => {
    if (isInHook) return;
    isInHook = true;
    await device.engine.update('task', { id: other, title: 'By hook' }, system);
    isInHook = false;
  };
  hookOn(device.engine, 'one', answerWith('two'));
  hookOn(device.engine, 'two', answerWith('one'));
  await server.recordChange({ ...created, recordId: 'one', data: { title: 'first' } });
  await device.exchange();
  expect([await device.tasks(), device.failures]).toEqual([{ one: 'first (null)', two: 'two (null)' }, []]);
  expect(device.sync.getEngine('task').getMutationLogger().getPending()).toEqual([]);
});

it('I4 shows what the server has of a record that a hook deletes each time', async () => {
  const server = new SyncHandler();
  const device = await startDevice(server, { name: 'a' });
  hookOn(device.engine, 'item', async () => {
    await device.engine.delete('task', { where: { id: 'item' }, ...system });
  });
  await server.recordChange({ ...created, recordId: 'item', data: { title: 'Item' } });
  await device.exchange();
  expect([await device.tasks(), device.failures]).toEqual([{ item: 'Item (null)' }, []]);
  expect(device.sync.client.status.pending).toBe(0);
});

it('I4 writes what the server sends where a hook deletes another record to make it anew', async () => {
  const server = new SyncHandler();
  const device = await startDevice(server, { name: 'a' });
  hookOn(device.engine, 'item', async () => {
    await device.engine.delete('task', { where: { id: 'list' }, ...system });
    await device.engine.insert('task', { id: 'list', title: 'Anew' }, system);
  });
  await server.recordChange({ ...created, recordId: 'list', data: { title: 'List' } });
  await device.exchange();
  await server.recordChange({ ...created, recordId: 'item', data: { title: 'Item' } });
  await device.exchange();
  expect([await device.tasks(), device.failures]).toEqual([{ list: 'List (null)', item: 'Item (null)' }, []]);
});

it('keeps what a hook creates, and records it at the next start', async () => {
  const server = new SyncHandler();
  const device = await startDevice(server, { name: 'a' });
  hookOn(device.engine, 'item', async () => {
    await device.engine.insert('task', { id: 'made', title: 'Made' }, system);
  });
  await server.recordChange({ ...created, recordId: 'item', data: { title: 'Item' } });
  await device.exchange();
  const before = [await device.tasks(), (await server.getRecord('task', 'made'))?.data];
  await device.stop();
  const again = await startDevice(server, { name: 'a', directory: device.directory });
  await again.exchange();
  expect([before, (await server.getRecord('task', 'made'))?.data]).toEqual([
    [{ item: 'Item (null)', made: 'Made (new)' }, undefined],
    { title: 'Made', status: 'new' },
  ]);
});

it('I1 records a write behind which a hook fails, where the app goes on with its transaction', async () => {
  const server = new SyncHandler();
  const { engine, exchange, tasks } = await startDevice(server, { name: 'a' });
  await engine.insert('task', { id: 't1', title: 'Buy milk' }, system);
  await exchange();
  const fail = () => Promise.reject(new Error('No mail could be sent.'));
  for (const recordId of ['t1', 't2']) hookOn(engine, recordId, fail);
  const failures: string[] = [];
  await engine.transaction(async () => {
    const note = ({ message }: Error) => void failures.push(message);
    await engine.update('task', { id: 't1', title: 'Buy oat milk' }, system).catch(note);
    await engine.insert('task', { id: 't2', title: 'Buy bread' }, system).catch(note);
  });
  const remote = () => Promise.all(['t1', 't2'].map(async (id) => (await server.getRecord('task', id))?.data.title));
  await eventually(async () => expect(await remote()).toEqual(['Buy oat milk', 'Buy bread']));
  expect([failures.length, await tasks()]).toEqual([2, { t1: 'Buy oat milk (new)', t2: 'Buy bread (new)' }]);
});

it('tells the app why its write failed, also where what was written cannot be noted', async () => {
  const server = new SyncHandler();
  const full = failing(({ operation, object }) => operation === 'insert' && object === 'objectstack_sync_outbox');
  const { engine, tasks, failures } = await startDevice(server, { name: 'a', plugins: [full] });
  hookOn(engine, 't1', () => Promise.reject(new Error('No mail could be sent.')));
  const told: string[] = [];
  const note = ({ message }: Error) => void told.push(message);
  const together = engine.transaction(async () => {
    await engine.insert('task', { id: 't1', title: 'Buy milk' }, system).catch(note);
  });
  await together.catch(note);
  expect([told, failures, await tasks()]).toEqual([['No mail could be sent.', 'The disk is full.'], [], {}]);
});

it('I1 records what a hook begins to write and does not await', async () => {
  const server = new SyncHandler();
  const { engine, exchange } = await startDevice(server, { name: 'a' });
  let other: Promise<unknown> | undefined;
  const writeOther: HookHandler = async () => {
    other ??= engine.insert('task', { id: 't2', title: 'Buy oats' }, system);
  };
  engine.registerHook('afterInsert', writeOther, { object: 'task' });
  await engine.insert('task', { id: 't1', title: 'Buy milk' }, system);
  await other;
  await exchange();
  expect(await titlesAt(server)).toEqual({ t1: 'Buy milk', t2: 'Buy oats' });
});
