/** What many records cost in a local engine. */
import { SyncHandler } from '@objectql/protocol-sync';
import type { HookHandler } from '@objectstack/objectql';
import { expect, it } from 'vitest';
import { passing, startDevice, system, titlesAt } from './local-device.fixture.js';

it('reads and removes what belongs to many writes a part at a time, as databases limit the values in a statement', async () => {
  let isBroken = true;
  const removed: number[] = [];
  const read: (number | undefined)[] = [];
  const busy = passing('busy', async ({ operation, object, ast, context }, next) => {
    if (object === 'objectstack_sync_outbox' && context?.transaction === undefined) {
      if (isBroken) throw new Error('The disk is full.');
      if (operation === 'delete') removed.push(Object(ast).where.id.$in.length);
    }
    if (operation === 'find' && object === 'task') read.push(Object(ast).where?.id?.$in.length);
    await next();
  });
  const { engine, sync, local } = await startDevice(new SyncHandler(), { name: 'a', plugins: [busy], isOffline: true });
  const tasks = Array.from({ length: 501 }, (_, n) => ({ id: `t${n}`, title: 'Buy milk' }));
  await engine.insert('task', tasks.slice(1), system);
  isBroken = false;
  await engine.insert('task', tasks[0], system);
  await local.destroy();
  read.length = 0;
  // It changes nothing.
  await engine.update('task', { title: 'Buy milk' }, { where: { title: 'Buy milk' }, multi: true, ...system });
  const left = await engine.find('objectstack_sync_outbox', {}, system);
  expect([sync.client.status.pending, removed, read, left]).toEqual([501, [500, 1], [undefined, 500, 1, 500, 1], []]);
});

it('notes all that one write changes with few statements', async () => {
  const asked: string[] = [];
  const listening = passing('listening', async ({ operation, object }, next) => {
    if (object !== 'task') asked.push(`${operation} ${object.replace('objectstack_sync_', '')}`);
    await next();
  });
  const server = new SyncHandler();
  const { directory, ...first } = await startDevice(server, { name: 'a', plugins: [listening] });
  const { engine, local } = first;
  const tasks = Array.from({ length: 100 }, (_, n) => ({ id: `t${n}`, title: 'Buy milk' }));
  // The first write looks for the last number.
  await engine.insert('task', { id: 'first', title: 'Buy bread' }, system);
  // From now on what is written waits for the next start.
  await local.destroy();
  const statementsOf = async (work: Promise<unknown>) => {
    asked.length = 0;
    await work;
    return asked.slice();
  };
  const many = { where: { title: 'Buy milk' }, multi: true, ...system };
  const notes = ['insert outbox', 'insert outbox'];
  expect(await statementsOf(engine.insert('task', tasks, system))).toEqual([
    ...['find known', ...notes, 'insert known', 'insert known'],
  ]);
  expect(await statementsOf(engine.update('task', { status: 'done' }, many))).toEqual(['find known', ...notes]);
  expect(await statementsOf(engine.delete('task', many))).toEqual(['find known', ...notes, 'delete known']);
  const left = (await engine.find('objectstack_sync_outbox', {}, system)).map(
    (row) => `${row.operation} ${row.record_id}`,
  );
  expect(left).toEqual(['create', 'update', 'delete'].flatMap((made) => tasks.map(({ id }) => `${made} ${id}`)));
  await first.stop();
  const again = await startDevice(server, { name: 'a', directory });
  await again.exchange();
  expect([await again.tasks(), await titlesAt(server)]).toEqual([
    { first: 'Buy bread (new)' },
    { first: 'Buy bread', ...Object.fromEntries(tasks.map(({ id }) => [id, undefined])) },
  ]);
});

it('looks together at many records of which the engine shows what the user sees', async () => {
  const asked: string[] = [];
  const listening = passing('listening', async ({ operation, object }, next) => {
    if (!object.startsWith('sys_')) asked.push(`${operation} ${object.replace('objectstack_sync_', '')}`);
    await next();
  });
  const parts = { name: 'a', plugins: [listening], isOffline: true };
  const { directory, ...first } = await startDevice(new SyncHandler(), parts);
  const tasks = Array.from({ length: 100 }, (_, n) => ({ id: `t${n}`, title: 'Buy milk' }));
  await first.engine.insert('task', tasks, system);
  await first.local.settled();
  const behindRecording = asked.slice(asked.indexOf('delete outbox') + 1);
  await first.stop();
  asked.length = 0;
  const again = await startDevice(new SyncHandler(), { ...parts, directory });
  await again.local.settled();
  const look = ['find outbox', 'find task', 'find known'];
  const enrolment = ['find known', 'find task', 'find outbox'];
  expect([behindRecording, asked]).toEqual([look, [...enrolment, ...look]]);
});

it('writes many records of the server with few statements beside their own', async () => {
  const asked: string[] = [];
  const listening = passing('listening', async ({ operation, object }, next) => {
    if (!object.startsWith('sys_')) asked.push(`${operation} ${object.replace('objectstack_sync_', '')}`);
    await next();
  });
  const server = new SyncHandler();
  const device = await startDevice(server, { name: 'a', plugins: [listening] });
  const ids = Array.from({ length: 20 }, (_, n) => `t${n}`);
  const send = async (operation: 'create' | 'update' | 'delete', data: { title: string } | undefined) => {
    await server.recordChanges(ids.map((recordId) => ({ objectName: 'task', recordId, operation, data })));
    asked.length = 0;
    await device.exchange();
    return asked.slice();
  };
  const times = (what: string) => ids.map(() => what);
  const look = ['find outbox', 'find task', 'find known'];
  await device.exchange();
  expect([
    await send('create', { title: 'Buy milk' }),
    await send('update', { title: 'Buy bread' }),
    await send('delete', undefined),
  ]).toEqual([
    [...look, ...look, ...times('insert task'), 'insert known'],
    [...look, ...look, ...times('update task')],
    [...look, ...look, ...times('delete task'), 'delete known'],
  ]);
});

it('I4 writes at once what the server sends together with a record that a hook refuses, and calls hooks once after that', async () => {
  const server = new SyncHandler();
  const device = await startDevice(server, { name: 'a', plugins: [refusing('bad')] });
  const called: unknown[] = [];
  const note: HookHandler = async ({ input }) => void called.push(Object(input.data).id);
  device.engine.registerHook('afterInsert', note, { object: 'task' });
  const send = async (...ids: readonly string[]) => {
    const data = { title: 'Buy milk' };
    await server.recordChanges(
      ids.map((recordId) => ({ objectName: 'task', recordId, operation: 'create' as const, data })),
    );
    called.length = 0;
    await device.exchange();
    return [Object.keys(await device.tasks()), called.slice()];
  };
  expect([await send('a', 'bad', 'c'), await send('d', 'e')]).toEqual([
    [
      ['a', 'c'],
      ['a', 'a', 'c'],
    ],
    [
      ['a', 'c', 'd', 'e'],
      ['d', 'e'],
    ],
  ]);
});

it('finds among many by an index whether it knows a record', async () => {
  const { engine } = await startDevice(new SyncHandler(), { name: 'a' });
  const asked = "SELECT 1 FROM objectstack_sync_known WHERE object_name = 'task' AND record_id = 't1'";
  const [step] = await engine.execute(`EXPLAIN QUERY PLAN ${asked}`);
  expect(step.detail).toMatch(/USING .*INDEX .*\(object_name=\? AND record_id=\?\)/);
});

/** A plugin of the app that refuses this record. */
function refusing(id: string) {
  return passing('refusing', async ({ operation, object, data }, next) => {
    if (object === 'task' && operation === 'insert' && Object(data).id === id) throw new Error('No such task here.');
    await next();
  });
}
