/** Which version of a record the user of a local engine has seen, and so what their writes meet as a conflict. */
import { MemoryStorage } from '@objectql/plugin-sync';
import { FaultStorage, TestPlatform } from '@objectql/plugin-sync/testing';
import { SyncHandler } from '@objectql/protocol-sync';
import { expect, it } from 'vitest';
import { eventually } from '../../../plugin-sync/test/fixtures/eventually.js';
import { changeTitle, failing, passing, startDevice, system, titlesAt } from './local-device.fixture.js';

it('I8 meets as a conflict what the engine did not show yet when its user wrote', async () => {
  const server = new SyncHandler({ strategy: 'manual' });
  const change = (title: string) => changeTitle(server, title);
  await change('Buy milk');
  const slow = failing(({ data }) => Object(data).title === 'Theirs');
  const a = await startDevice(server, { name: 'a', plugins: [slow] });
  await a.exchange();
  await a.engine.update('task', { id: 't1', status: 'begun' }, system);
  await a.exchange();
  await change('Theirs');
  await a.exchange();
  await a.engine.update('task', { id: 't1', title: 'Mine' }, system);
  await a.exchange();
  const parked = a.sync.client.conflicts.list().map(({ conflict }) => [conflict.conflictingFields, conflict.kind]);
  expect([parked, await titlesAt(server)]).toEqual([[[['title'], 'update-update']], { t1: 'Theirs' }]);
});

it('I8 meets no conflict with what the engine did not show yet in other fields than its user wrote', async () => {
  const server = new SyncHandler({ strategy: 'manual' });
  await changeTitle(server, 'Buy milk');
  const slow = failing(({ data }) => Object(data).title === 'Theirs');
  const a = await startDevice(server, { name: 'a', plugins: [slow] });
  await a.exchange();
  await changeTitle(server, 'Theirs');
  await a.exchange();
  await a.engine.update('task', { id: 't1', status: 'done' }, system);
  await a.exchange();
  const { serverChanges } = await server.handlePull({ clientId: 'x', lastCheckpoint: null });
  expect(serverChanges.map(({ data }) => data)).toEqual([{ title: 'Theirs', status: 'done' }]);
  expect(a.sync.client.conflicts.list()).toEqual([]);
});

it('I8 meets no conflict with what others changed and took back before its user wrote', async () => {
  const server = new SyncHandler({ strategy: 'manual' });
  await changeTitle(server, 'Buy milk');
  const a = await startDevice(server, { name: 'a' });
  await a.exchange();
  for (const title of ['Theirs', 'Buy milk']) await changeTitle(server, title);
  await a.exchange();
  await a.engine.update('task', { id: 't1', title: 'Mine' }, system);
  await a.exchange();
  expect([await titlesAt(server), a.sync.client.conflicts.list()]).toEqual([{ t1: 'Mine' }, []]);
});

it('I8 makes a record anew whose delete the client had received and the engine had not when its user wrote', async () => {
  const server = new SyncHandler({ strategy: 'last-write-wins' });
  await changeTitle(server, 'Buy milk');
  const slow = failing(({ object, operation }) => object === 'task' && operation === 'delete');
  const { sync, engine, exchange } = await startDevice(server, { name: 'a', plugins: [slow] });
  await exchange();
  await server.recordChange({ objectName: 'task', recordId: 't1', operation: 'delete' });
  await exchange();
  const shown = await sync.getEngine('task').records.get('t1');
  await engine.update('task', { id: 't1', status: 'done' }, system);
  await exchange();
  const { data } = (await server.getRecord('task', 't1')) ?? {};
  expect([shown, data, sync.client.conflicts.list()]).toEqual([undefined, { title: 'Buy milk', status: 'done' }, []]);
});

it('I13 sends other changes while the record that an update makes anew cannot be read, and that update later', async () => {
  const server = new SyncHandler({ strategy: 'last-write-wins' });
  await changeTitle(server, 'Buy milk');
  let broken = /^$/;
  const busy = failing(({ object, operation, context }) => {
    const isDelayed = object === 'task' && operation === 'delete';
    return isDelayed || (context?.transaction === undefined && broken.test(`${operation} ${object}`));
  });
  const { engine, exchange } = await startDevice(server, { name: 'a', plugins: [busy] });
  await exchange();
  await server.recordChange({ objectName: 'task', recordId: 't1', operation: 'delete' });
  await exchange();
  broken = /outbox$/;
  await engine.update('task', { id: 't1', status: 'done' }, system);
  broken = /^find task$/;
  await engine.insert('task', { id: 't2', title: 'Buy bread' }, system);
  await exchange();
  const meanwhile = await titlesAt(server);
  broken = /^$/;
  // It is tried again by itself.
  await eventually(async () => expect((await titlesAt(server)).t1).toBe('Buy milk'));
  expect(meanwhile).toMatchObject({ t1: undefined, t2: 'Buy bread' });
});

it('I7 meets no conflict with itself where its log was forked while a write waited', async () => {
  const server = new SyncHandler({ strategy: 'manual' });
  await changeTitle(server, 'Buy milk');
  let isBroken = false;
  const busy = failing(
    ({ object, context }) => isBroken && object === 'objectstack_sync_outbox' && context?.transaction === undefined,
  );
  const platform = new TestPlatform();
  const { sync, engine, exchange } = await startDevice(server, { name: 'a', plugins: [busy], platform });
  await engine.insert('task', { id: 't2', title: 'Buy bread' }, system);
  await exchange();
  const { logId } = sync.client.log.meta;
  isBroken = true;
  await engine.update('task', { id: 't1', title: 'Buy oat milk' }, system);
  isBroken = false;
  await forkLog(server, sync);
  await exchange();
  await engine.insert('task', { id: 't3', title: 'Buy salt' }, system);
  await exchange();
  expect(sync.client.log.meta.logId).not.toBe(logId);
  expect([sync.client.conflicts.list(), (await titlesAt(server)).t1]).toEqual([[], 'Buy oat milk']);
});

/** Puts a clone's change into the place of the device's next one, and lets the device find that out. */
async function forkLog(server: SyncHandler, sync: Awaited<ReturnType<typeof startDevice>>['sync']) {
  const { clientId, meta } = sync.client.log;
  const mutation = {
    ...{ id: 'of a clone', objectName: 'task', recordId: 'clone', operation: 'create', data: {} },
    ...{ timestamp: new Date(0).toISOString(), clientId, sequence: meta.nextSequence, baseVersion: null },
  };
  await server.handlePush({ clientId, logId: meta.logId, protocol: 2, lastCheckpoint: null, mutations: [mutation] });
  sync.getEngine('task').records.create('own', {});
  await sync.syncAll();
}

/** A device that shows `Buy milk`, and is about to learn of a newer version that looks the same when `goOn` is called. */
async function aboutToLearn() {
  const server = new SyncHandler({ strategy: 'manual' });
  const storage = new FaultStorage(new MemoryStorage());
  let goOn = () => {};
  const gate = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let isHeld = false;
  const holding = passing('holding', async ({ operation, data }, next) => {
    if (operation === 'insert' && Object(data).id === 't2') {
      isHeld = true;
      await gate;
    }
    await next();
  });
  const slow = failing(({ data }) => Object(data).title === 'Theirs');
  const device = await startDevice(server, { name: 'a', storage, plugins: [holding, slow] });
  await changeTitle(server, 'Buy milk');
  await device.exchange();
  await server.recordChange({ objectName: 'task', recordId: 't2', operation: 'create', data: { title: 'Buy bread' } });
  await device.sync.syncAll();
  await eventually(() => expect(isHeld).toBe(true));
  for (const title of ['Theirs', 'Buy milk']) await changeTitle(server, title);
  await device.sync.syncAll();
  const settled = device.local.settled();
  // Behind what has listed the records for that.
  await device.sync.client.records.list('task');
  return { server, storage, goOn, settled, ...device };
}

it('I8 meets as a conflict what came behind a version that looked as what the engine shows', async () => {
  const { server, sync, engine, exchange, goOn, settled } = await aboutToLearn();
  await changeTitle(server, 'Theirs');
  await sync.syncAll();
  goOn();
  await settled;
  await engine.update('task', { id: 't1', title: 'Mine' }, system);
  await exchange();
  const parked = sync.client.conflicts.list().map(({ conflict }) => conflict.conflictingFields);
  expect([parked, (await titlesAt(server)).t1]).toEqual([[['title']], 'Theirs']);
});

it('I8 says that it could not see whether a newer version looks the same, and makes no conflict of it', async () => {
  const { server, storage, sync, engine, exchange, goOn, settled, failures } = await aboutToLearn();
  storage.before('getRecords', () => {
    storage.heal();
    throw new Error('The disk is busy.');
  });
  goOn();
  await settled;
  await exchange();
  await engine.update('task', { id: 't1', title: 'Mine' }, system);
  await exchange();
  expect([failures, (await titlesAt(server)).t1, sync.client.conflicts.list()]).toEqual([
    ['The disk is busy.'],
    'Mine',
    [],
  ]);
});
