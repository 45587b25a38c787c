/** What the definitions and the database of a local engine say of a write, where the server has it otherwise. */
import { MemoryStorage } from '@objectql/plugin-sync';
import { FaultStorage } from '@objectql/plugin-sync/testing';
import { SyncHandler } from '@objectql/protocol-sync';
import { expect, it } from 'vitest';
import { eventually } from '../../../plugin-sync/test/fixtures/eventually.js';
import { appOf, passing, startDevice, system } from './local-device.fixture.js';

const text = { type: 'text', label: 'Text' };
const sync = { enabled: true };
const pin = { type: 'password', label: 'PIN' };
const project = { type: 'lookup', label: 'Project', reference: 'project' };
/** Projects, and what goes with its project, loses it, or holds it. */
const app = appOf('more', [
  { name: 'project', label: 'Project', sync, fields: { text } },
  { name: 'item', label: 'Item', sync, fields: { text, pin, project: { ...project, deleteBehavior: 'cascade' } } },
  { name: 'door', label: 'Door', sync, fields: { text, pin } },
  { name: 'seat', label: 'Seat', sync, fields: { code: { ...text, unique: true } } },
  { name: 'bill', label: 'Bill', sync, fields: { text, project: { ...project, deleteBehavior: 'restrict' } } },
  { name: 'note', label: 'Note', sync, fields: { text, project: { ...project, deleteBehavior: 'set_null' } } },
]);

it('I4 keeps in the local engine what goes with a record that its user may not read any more', async () => {
  let areProjectsHidden = false;
  const server = new SyncHandler({
    authorize: {
      read: ({ objectName }) => (areProjectsHidden && objectName === 'project' ? 'hide' : 'allow'),
      scope: () => String(areProjectsHidden),
    },
  });
  const device = await startDevice(server, { name: 'a', plugins: [app] });
  const all = async () => {
    const rows = await Promise.all(['project', 'item', 'note'].map((name) => device.engine.find(name, {}, system)));
    return rows.flat().map(({ id, project }) => [id, project]);
  };
  const created = { operation: 'update', data: { text: 'x', project: 'p1' } } as const;
  await server.recordChange({ ...created, objectName: 'project', recordId: 'p1', data: { text: 'x' } });
  for (const objectName of ['item', 'note']) {
    await server.recordChange({ ...created, objectName, recordId: `${objectName}-1` });
  }
  await device.exchange();
  const before = await all();
  areProjectsHidden = true;
  await device.exchange();
  expect([before, await all(), device.failures]).toEqual([
    [
      ['p1', undefined],
      ['item-1', 'p1'],
      ['note-1', 'p1'],
    ],
    [
      ['item-1', 'p1'],
      ['note-1', 'p1'],
    ],
    [],
  ]);
});

it('I1 keeps what only the local engine has of a record that stays where its parent goes', async () => {
  const server = new SyncHandler();
  const device = await startDevice(server, { name: 'a', plugins: [app] });
  const project = { objectName: 'project', recordId: 'p1' } as const;
  await server.recordChange({ ...project, operation: 'create', data: { text: 'x' } });
  await server.recordChange({ operation: 'create', objectName: 'item', recordId: 'item-1', data: { project: 'p1' } });
  await device.exchange();
  await device.engine.update('item', { id: 'item-1', pin: '1234' }, system);
  await server.recordChange({ ...project, operation: 'delete' });
  await device.exchange();
  const stored = await device.engine.getDriverForObject('item')?.findOne('item', { where: { id: 'item-1' } });
  expect([stored?.project, stored?.pin, device.failures]).toEqual(['p1', '1234', []]);
});

it.each(['only sends', 'does not know'])(
  'deletes with a record of the server what belongs to it and sync %s',
  async (how) => {
    const server = new SyncHandler();
    const isSent = how === 'only sends';
    const item = { enabled: true, direction: isSent ? 'push-only' : 'bidirectional' } as const;
    const device = await startDevice(server, {
      name: 'a',
      plugins: [app],
      objects: { project: { enabled: true }, item },
    });
    const { engine, failures } = device;
    const project = { objectName: 'project', recordId: 'p1' } as const;
    await server.recordChange({ ...project, operation: 'create', data: { text: 'x' } });
    await device.exchange();
    const row = { id: 'item-1', project: 'p1' };
    if (isSent) await engine.insert('item', row, system);
    else await engine.getDriverForObject('item')?.create('item', row);
    await device.exchange();
    const before = await engine.count('item', {}, system);
    await server.recordChange({ ...project, operation: 'delete' });
    await device.exchange();
    expect([before, await engine.count('item', {}, system), failures]).toEqual([1, 0, []]);
  },
);

it('refuses a delete that would change records which the server alone may change', async () => {
  const server = new SyncHandler();
  const objects = { project: { enabled: true }, note: { enabled: true, direction: 'pull-only' } } as const;
  const device = await startDevice(server, { name: 'a', plugins: [app], objects, synced: ['project', 'note'] });
  for (const objectName of ['project', 'note'])
    await server.recordChange({ objectName, recordId: 'x', operation: 'create', data: { text: 'x', project: 'x' } });
  await device.exchange();
  const deleted = device.engine.delete('project', { where: { id: 'x' }, ...system });
  await expect(deleted).rejects.toThrow('note is pull-only: it is changed on the server alone.');
  const left = await Promise.all(['project', 'note'].map((name) => device.engine.find(name, {}, system)));
  expect([left.flat().map(({ id }) => id), device.sync.client.status.pending]).toEqual([['x', 'x'], 0]);
});

it('I4 restores after all what a record lost with its parent, when it cannot be read at first', async () => {
  const server = new SyncHandler();
  const storage = new FaultStorage(new MemoryStorage());
  const breaking = passing('breaking', async ({ operation, object }, next) => {
    await next();
    if (operation === 'delete' && object === 'project') storage.fail('getRecords', new Error('The disk is busy.'));
  });
  const device = await startDevice(server, { name: 'a', storage, plugins: [app, breaking] });
  const created = { operation: 'create', data: { text: 'x', project: 'p1' } } as const;
  await server.recordChange({ ...created, objectName: 'project', recordId: 'p1', data: { text: 'x' } });
  await server.recordChange({ ...created, objectName: 'note', recordId: 'note-1' });
  await device.exchange();
  await server.recordChange({ operation: 'delete', objectName: 'project', recordId: 'p1' });
  await device.sync.syncAll();
  await eventually(() => expect(device.failures).toContain('The disk is busy.'));
  const parents = async () => (await device.engine.find('note', {}, system)).map((note) => note.project);
  const meanwhile = await parents();
  storage.heal();
  await eventually(async () => expect([meanwhile, await parents()]).toEqual([[null], ['p1']]));
});

it('I4 writes a record that takes over a unique value from one that is gone', async () => {
  const server = new SyncHandler();
  const device = await startDevice(server, { name: 'a', plugins: [app] });
  const seat = { operation: 'update', objectName: 'seat', data: { code: 'A1' } } as const;
  await server.recordChange({ ...seat, recordId: 'old' });
  await device.exchange();
  await server.recordChange({ ...seat, recordId: 'old', operation: 'delete', data: undefined });
  await server.recordChange({ ...seat, recordId: 'new' });
  await device.exchange();
  const seats = await device.engine.find('seat', {}, system);
  expect([seats.map(({ id, code }) => [id, code]), device.failures]).toEqual([[['new', 'A1']], []]);
});

it('I4 writes what the server sends also where the local definitions refuse it', async () => {
  let hidden: readonly string[] = [];
  const server = new SyncHandler({
    authorize: { read: () => ({ without: hidden }), scope: () => hidden.join() },
  });
  const change = { operation: 'update', objectName: 'task' } as const;
  const device = await startDevice(server, { name: 'a', plugins: [app] });
  await server.recordChange({ ...change, recordId: 'old', data: { title: 'Secret', status: 'new' } });
  await server.recordChange({ ...change, objectName: 'project', recordId: 'p1', data: { text: 'x' } });
  await server.recordChange({ ...change, objectName: 'bill', recordId: 'b1', data: { project: 'p1' } });
  await device.exchange();
  // A task's title is required.
  hidden = ['title'];
  await server.recordChange({ ...change, recordId: 'old', data: { title: 'Secret', status: 'done' } });
  await server.recordChange({ ...change, recordId: 'new', data: { title: 'Secret, too', status: 'late' } });
  await server.recordChange({ ...change, recordId: 'plain', data: { title: 'Secret as well' } });
  await server.recordChange({ operation: 'delete', objectName: 'project', recordId: 'p1' });
  await device.exchange();
  const [projects, bills] = await Promise.all(['project', 'bill'].map((name) => device.engine.find(name, {}, system)));
  expect([await device.tasks(), projects, bills?.map(({ id, project }) => [id, project]), device.failures]).toEqual([
    { old: 'null (done)', new: 'null (late)', plain: 'null (null)' },
    [],
    [['b1', 'p1']],
    [],
  ]);
});

it('I4 removes after all what the local definitions keep, when its database fails at first', async () => {
  const server = new SyncHandler();
  const device = await startDevice(server, { name: 'a', plugins: [app] });
  const project = { objectName: 'project', recordId: 'p1' } as const;
  await server.recordChange({ ...project, operation: 'create', data: { text: 'x' } });
  await server.recordChange({ operation: 'create', objectName: 'bill', recordId: 'b1', data: { project: 'p1' } });
  await device.exchange();
  const driver = device.engine.getDriverForObject('project') as { delete: unknown };
  const { delete: remove } = driver;
  driver.delete = () => Promise.reject(new Error('The disk is full.'));
  await server.recordChange({ ...project, operation: 'delete' });
  await device.exchange();
  const projects = async () => (await device.engine.find('project', {}, system)).map(({ id }) => id);
  const meanwhile = await projects();
  driver.delete = remove;
  await device.local.settled();
  expect([meanwhile, await projects(), new Set(device.failures)]).toEqual([['p1'], [], new Set(['The disk is full.'])]);
});

it('I12 leaves on each side what the engine tells no reader', async () => {
  const server = new SyncHandler();
  const device = await startDevice(server, { name: 'a', plugins: [app] });
  await device.engine.insert('door', { id: 'front', text: 'x', pin: '1234' }, system);
  await device.exchange();
  const sent = await server.getRecord('door', 'front');
  // As an engine on the server reads it.
  const data = {
    text: 'y',
    pin: (await device.engine.findOne('door', { where: { id: 'front' } }, system))?.pin as string,
  };
  await server.recordChange({ objectName: 'door', recordId: 'front', operation: 'update', data });
  await device.exchange();
  const stored = await device.engine.getDriverForObject('door')?.findOne('door', { where: { id: 'front' } });
  expect([sent?.data, data.pin, stored?.text, stored?.pin]).toEqual([
    { text: 'x' },
    expect.not.stringContaining('1'),
    'y',
    '1234',
  ]);
});

it('I1 tells an app whose commit has failed that nothing was written', async () => {
  const { engine, sync } = await startDevice(new SyncHandler(), { name: 'a' });
  // Looked at by the commit: each new task leaves a row behind that refers to none.
  for (const statement of [
    'PRAGMA foreign_keys = ON',
    'CREATE TABLE parent (id TEXT PRIMARY KEY)',
    'CREATE TABLE child (parent TEXT REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)',
    "CREATE TRIGGER orphan AFTER INSERT ON task BEGIN INSERT INTO child VALUES ('none'); END",
  ])
    await engine.execute(statement);
  const written = engine.insert('task', { id: 't1', title: 'Never' }, system);
  await expect(written).rejects.toThrow('FOREIGN KEY constraint failed');
  // The same in a transaction of the app: what sync awaits of it fails, and must not end the process.
  await Promise.allSettled([
    engine.transaction(() => engine.insert('task', { id: 't2', title: 'Never' }, system), {}, { require: true }),
  ]);
  expect(sync.client.status.pending).toBe(0);
});
