/** What the app has written and could not be recorded at once. */
import { MemoryStorage, systemPlatform } from '@objectql/plugin-sync';
import { TestPlatform } from '@objectql/plugin-sync/testing';
import { SyncHandler } from '@objectql/protocol-sync';
import { refuseCommit } from '@objectql/sync-types/kernel';
import { expect, it } from 'vitest';
import { eventually } from '../../../plugin-sync/test/fixtures/eventually.js';
import {
  changeTitle,
  type FailingOperation,
  failing,
  passing,
  startDevice,
  system,
  titlesAt,
  writer,
} from './local-device.fixture.js';

it('I13 records by itself what could not be recorded at first', async () => {
  const server = new SyncHandler();
  let isBroken = false;
  // It is asked in the write's own transaction as well.
  const busy = failing(
    ({ object, context }) => isBroken && object === 'objectstack_sync_outbox' && context?.transaction === undefined,
  );
  const device = await startDevice(server, { name: 'a', plugins: [busy] });
  isBroken = true;
  await device.engine.insert('task', { id: 't1', title: 'Buy milk' }, system);
  const meanwhile = [device.sync.client.status.pending, device.failures];
  isBroken = false;
  await eventually(async () => expect((await server.getRecord('task', 't1'))?.data?.title).toBe('Buy milk'));
  expect(meanwhile).toEqual([0, ['The disk is full.']]);
});

it('tries no more to record what a later write has recorded with it', async () => {
  const platform = new TestPlatform();
  let isBroken = false;
  const busy = failing(
    ({ object, context }) => isBroken && object === 'objectstack_sync_outbox' && context?.transaction === undefined,
  );
  const { engine, sync } = await startDevice(new SyncHandler(), {
    name: 'a',
    platform,
    plugins: [busy],
    isOffline: true,
  });
  const insert = async (id: string) => {
    await engine.insert('task', { id, title: 'Buy milk' }, system);
    return [sync.client.status.pending, platform.pendingTimersMs.length];
  };
  const [, before = 0] = await insert('t1');
  isBroken = true;
  const meanwhile = await insert('t2');
  isBroken = false;
  expect([meanwhile, await insert('t3')]).toEqual([
    [1, before + 1],
    [3, before],
  ]);
});

it('notes what it could not record in the committed format: the next release finds it', async () => {
  let isBroken = false;
  const busy = failing(
    ({ object, context }) => isBroken && object === 'objectstack_sync_outbox' && context?.transaction === undefined,
  );
  const platform = new TestPlatform();
  const device = await startDevice(new SyncHandler(), { name: 'a', platform, plugins: [busy], user: 'ada' });
  const { engine, sync } = device;
  await engine.insert('task', { id: 't1', title: 'Buy milk' }, system);
  await sync.syncAll();
  isBroken = true;
  await engine.update('task', { id: 't1', title: 'Buy bread' }, system);
  await engine.insert('task', { id: 't2', title: 'Buy salt' }, system);
  isBroken = false;
  const found = await engine.find('objectstack_sync_outbox', {}, system);
  // The engine adds times of its own.
  const notes = found.map(({ created_at: _, updated_at: __, mutation_id: mutationId, ...note }) => [
    typeof mutationId,
    note,
  ]);
  const noted = { noted_at: '2026-01-01T00:00:00.000Z', noted_for: 'ada', object_name: 'task' };
  const { logId } = sync.client.log.meta;
  const update = {
    ...{ id: '0000000000000002', record_id: 't1', operation: 'update', data: '{"title":"Buy bread"}' },
    base: `{"version":1,"epochs":0,"logId":"${logId}"}`,
  };
  const create = {
    ...{ id: '0000000000000003', record_id: 't2', operation: 'create', base: null },
    data: '{"title":"Buy salt","status":"new"}',
  };
  expect(
    notes,
    'Notes have no version: change them only by properties that both the last release and this one can do without.',
  ).toEqual([
    ['string', { ...noted, ...update }],
    ['string', { ...noted, ...create }],
  ]);
});

it('notes a write in a column that databases do not limit to 255 characters', async () => {
  const { engine } = await startDevice(new SyncHandler(), { name: 'a' });
  const columns = await engine.execute(
    "SELECT type FROM pragma_table_info('objectstack_sync_outbox') WHERE name = 'data'",
  );
  expect(columns).toEqual([{ type: 'TEXT' }]);
});

it('I1 keeps the note of a write until its mutation is durable', async () => {
  class FullStorage extends MemoryStorage {
    isFull = false;

    override async commit(...given: Parameters<MemoryStorage['commit']>) {
      if (this.isFull) throw new Error('The disk is full.');
      return super.commit(...given);
    }
  }
  const storage = new FullStorage();
  const { engine, local } = await startDevice(new SyncHandler(), { name: 'a', storage, isOffline: true });
  const notes = async () => (await engine.find('objectstack_sync_outbox', {}, system)).length;
  storage.isFull = true;
  await engine.insert('task', { id: 't1', title: 'Buy milk' }, system);
  await local.settled();
  const whileFull = await notes();
  storage.isFull = false;
  await engine.insert('task', { id: 't2', title: 'Buy bread' }, system);
  expect([whileFull, await notes()]).toEqual([1, 0]);
});

it('notes the next write after one that could not be noted', async () => {
  const server = new SyncHandler();
  let isBroken = true;
  const busy = failing(
    ({ object, operation, context }) =>
      isBroken && object === 'objectstack_sync_outbox' && operation === 'find' && context?.transaction !== undefined,
  );
  const device = await startDevice(server, { name: 'a', plugins: [busy] });
  const insert = (id: string) => device.engine.insert('task', { id, title: 'Buy milk' }, system);
  const refused = await Promise.allSettled(['t1', 't2'].map(insert));
  isBroken = false;
  await insert('t3');
  await device.exchange();
  expect(refused.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect([await device.tasks(), await titlesAt(server)]).toEqual([{ t3: 'Buy milk (new)' }, { t3: 'Buy milk' }]);
});

it('I10 lets the later change win over one that was made before it and recorded after', async () => {
  const server = new SyncHandler({ strategy: 'last-write-wins' });
  const { directory, ...a } = await startDevice(server, { name: 'a' });
  const b = await startDevice(server, { name: 'b' });
  await a.engine.insert('task', { id: 't1', title: 'Buy milk' }, system);
  for (const device of [a, b]) await device.exchange();
  // From now on what is written waits for the next start.
  await a.local.destroy();
  await a.engine.update('task', { id: 't1', title: 'Buy oat milk' }, system);
  await a.stop();
  await b.engine.update('task', { id: 't1', title: 'Buy cream' }, system);
  await b.exchange();
  // Its change was made a minute before, however long its request takes here.
  const platform = { ...systemPlatform, now: () => systemPlatform.now() + 60_000 };
  const again = await startDevice(server, { name: 'a', directory, platform });
  for (const device of [again, b]) await device.exchange();
  const expected = { t1: 'Buy cream (new)' };
  expect([await again.tasks(), await b.tasks()]).toEqual([expected, expected]);
});

it('I8 meets as a conflict what an earlier process had no time to show before its user wrote', async () => {
  const server = new SyncHandler({ strategy: 'manual' });
  await changeTitle(server, 'Buy milk');
  const { directory, ...first } = await startDevice(server, { name: 'a' });
  await first.exchange();
  // What is received from now on is not written into the engine.
  await first.local.destroy();
  await changeTitle(server, 'Theirs');
  await first.sync.syncAll();
  await first.stop();
  const writing = writer(({ engine, event }) => {
    if (event === 'start') return engine.update('task', { id: 't1', title: 'Mine' }, system);
  });
  const again = await startDevice(server, { name: 'a', directory, plugins: [writing] });
  await again.exchange();
  const parked = again.sync.client.conflicts.list().map(({ conflict }) => conflict.conflictingFields);
  expect([parked, await again.tasks()]).toEqual([[['title']], { t1: 'Theirs (new)' }]);
});

it('I8 meets as a conflict what a failed commit did not show to its user', async () => {
  const server = new SyncHandler({ strategy: 'manual' });
  await changeTitle(server, 'Buy milk');
  const full = passing('full', async (operation, next) => {
    await next();
    if (operation.object === 'task' && Object(operation.data).title === 'Theirs')
      refuseCommit(operation.context?.transaction, new Error('The disk is full.'));
  });
  const { engine, sync, exchange, failures } = await startDevice(server, { name: 'a', plugins: [full] });
  await exchange();
  await changeTitle(server, 'Theirs');
  await exchange();
  const shown = await engine.findOne('task', { where: { id: 't1' } }, system);
  await engine.update('task', { id: 't1', title: 'Mine' }, system);
  await sync.syncAll();
  const parked = sync.client.conflicts.list().map(({ conflict }) => conflict.conflictingFields);
  expect([shown?.title, parked, failures[0]]).toEqual(['Buy milk', [['title']], 'The disk is full.']);
});

it.each(['learns of it before it records the write', 'has lost its storage as well'])(
  'I8 meets as a conflict what others wrote on a server that was restored while a write waited, where the device %s',
  async (how) => {
    const server = new SyncHandler({ strategy: 'manual' });
    await changeTitle(server, 'Buy milk');
    const { directory, ...first } = await startDevice(server, { name: 'a' });
    await first.exchange();
    await first.local.destroy();
    await first.engine.update('task', { id: 't1', title: 'Mine' }, system);
    // The same version as before, and something else.
    const restored = new SyncHandler({ strategy: 'manual' });
    await changeTitle(restored, 'Theirs');
    const isLost = how.startsWith('has lost');
    if (!isLost) {
      first.sync.client.transport = { push: (request) => restored.handlePush(request) };
      await first.sync.syncAll();
    }
    await first.stop();
    const storage = isLost ? { storage: new MemoryStorage() } : {};
    const again = await startDevice(restored, { name: 'a', directory, ...storage });
    await again.exchange();
    const parked = again.sync.client.conflicts.list().map(({ conflict }) => conflict.conflictingFields);
    expect([parked, await titlesAt(restored)]).toEqual([[['title']], { t1: 'Theirs' }]);
  },
);

it('keeps what it refuses out of a transaction with which the app goes on', async () => {
  const server = new SyncHandler();
  const { engine, tasks, exchange } = await startDevice(server, { name: 'a' });
  await engine.insert('task', { id: 't1', title: 'Buy milk' }, system);
  const large = 'x'.repeat(300 * 1024);
  const refused: string[] = [];
  await engine.transaction(async () => {
    const note = ({ code }: { readonly code: string }) => void refused.push(code);
    await engine.update('task', { id: 't1', status: large }, system).catch(note);
    await engine.insert('task', { id: 't2', title: large }, system).catch(note);
    await engine.insert('task', { id: 't3', title: 'Buy bread' }, system);
  });
  await exchange();
  expect([refused, await tasks()]).toEqual([
    ['INVALID_MUTATION', 'INVALID_MUTATION'],
    { t1: 'Buy milk (new)', t3: 'Buy bread (new)' },
  ]);
});

it('I1 notes a write that names no transaction in one with it, and records it at once', async () => {
  let isBroken = false;
  const full = failing(
    ({ operation, object }) => isBroken && operation === 'insert' && object === 'objectstack_sync_outbox',
  );
  const device = await startDevice(new SyncHandler(), { name: 'a', plugins: [full], isOffline: true });
  const { engine, sync, tasks } = device;
  const apart = { context: { ...system.context, transaction: null } };
  await engine.insert('task', { id: 't1', title: 'Buy milk' }, apart);
  const recorded = sync.client.status.pending;
  isBroken = true;
  const refused = engine.insert('task', { id: 't2', title: 'Buy bread' }, apart);
  await expect(refused).rejects.toThrow('The disk is full.');
  expect([recorded, await tasks()]).toEqual([1, { t1: 'Buy milk (new)' }]);
});

it('notes a write at the time that its client goes by', async () => {
  const platform = new TestPlatform({ now: Date.UTC(2020, 1, 29) });
  const { engine, sync } = await startDevice(new SyncHandler(), { name: 'a', platform, isOffline: true });
  await engine.insert('task', { id: 't1', title: 'Buy milk' }, system);
  const pending = [...sync.client.log.pending].map(({ mutation }) => mutation.timestamp);
  expect(pending).toEqual(['2020-02-29T00:00:00.000Z']);
});

it.each(['is too large once a hook has changed it', 'cannot be noted'])(
  'I1 commits no transaction with which the app goes on behind a write that %s',
  async (what) => {
    const server = new SyncHandler();
    const isBroken = ({ operation, object, data }: FailingOperation) =>
      what === 'cannot be noted' &&
      operation === 'insert' &&
      object === 'objectstack_sync_outbox' &&
      /bread/.test(JSON.stringify(data));
    const { engine, tasks, exchange } = await startDevice(server, { name: 'a', plugins: [failing(isBroken)] });
    if (what !== 'cannot be noted') {
      const enlarge = async ({ input }: { readonly input?: unknown }) => {
        const { data } = Object(input);
        if (data.title === 'Buy bread') data.title = 'x'.repeat(300 * 1024);
      };
      engine.registerHook('beforeInsert', enlarge, { object: 'task' });
    }
    const told: string[] = [];
    const note = ({ message }: Error) => void told.push(message);
    const together = engine.transaction(async () => {
      await engine.insert('task', { id: 't1', title: 'Buy milk' }, system);
      await engine.insert('task', { id: 't2', title: 'Buy bread' }, system).catch(note);
    });
    await together.catch(note);
    await engine.insert('task', { id: 't3', title: 'Buy cream' }, system);
    await exchange();
    expect([new Set(told).size, told.length, await tasks(), await titlesAt(server)]).toEqual([
      1,
      2,
      { t3: 'Buy cream (new)' },
      { t3: 'Buy cream' },
    ]);
  },
);

it('I13 takes back a transaction that may not commit, also for those who do not, as the bodies of actions', async () => {
  let isBroken = false;
  const full = failing(
    ({ operation, object }) => isBroken && operation === 'insert' && object === 'objectstack_sync_outbox',
  );
  const { engine, tasks } = await startDevice(new SyncHandler(), { name: 'a', plugins: [full] });
  // The engine's first write reads what no transaction must keep it from.
  await engine.insert('task', { id: 't1', title: 'Buy milk' }, system);
  const told: string[] = [];
  const note = ({ message }: Error) => void told.push(message);
  const api = engine.createContext(system.context);
  const begun = await api.beginTransaction();
  isBroken = true;
  await begun?.ctx.object('task').insert({ id: 't2', title: 'Buy bread' }).catch(note);
  isBroken = false;
  await api.commitTransaction(begun?.handle).catch(note);
  await engine.insert('task', { id: 't3', title: 'Buy cream' }, system);
  expect([told, await tasks()]).toEqual([
    ['The disk is full.', 'The disk is full.'],
    { t1: 'Buy milk (new)', t3: 'Buy cream (new)' },
  ]);
});

it('I2 sends a write once whose note cannot be forgotten at first', async () => {
  const server = new SyncHandler();
  let isBroken = true;
  const busy = failing(
    ({ operation, object }) => isBroken && operation === 'delete' && object === 'objectstack_sync_outbox',
  );
  const { engine, sync, exchange, failures } = await startDevice(server, { name: 'a', plugins: [busy] });
  const sent: string[] = [];
  sync.client.transport = {
    push: (request) => {
      sent.push(...request.mutations.map(({ recordId }) => String(recordId)));
      return server.handlePush(request);
    },
  };
  await engine.insert('task', { id: 't1', title: 'Buy milk' }, system);
  await exchange();
  isBroken = false;
  await engine.insert('task', { id: 't2', title: 'Buy bread' }, system);
  await exchange();
  expect([sent, new Set(failures)]).toEqual([['t1', 't2'], new Set(['The disk is full.'])]);
});

it('I4 writes what the server sends of a record whose note cannot be forgotten at first', async () => {
  const server = new SyncHandler();
  await changeTitle(server, 'Buy milk');
  let isBroken = false;
  const busy = failing(
    ({ operation, object }) => isBroken && operation === 'delete' && object === 'objectstack_sync_outbox',
  );
  const { engine, exchange } = await startDevice(server, { name: 'a', plugins: [busy] });
  await exchange();
  isBroken = true;
  await engine.update('task', { id: 't1', status: 'done' }, system);
  await exchange();
  await changeTitle(server, 'Buy bread').then(exchange);
  const shown = async () => (await engine.findOne('task', { where: { id: 't1' } }, system))?.title;
  const meanwhile = await shown();
  isBroken = false;
  await eventually(async () => expect(await shown()).toBe('Buy bread'));
  expect(meanwhile).toBe('Buy milk');
});
