import type { MutationLogEntry, SyncPushResponse } from '@objectql/sync-types';
import { AS_SYSTEM, type DataEngine, type KernelContext } from '@objectql/sync-types/kernel';
import type { HookHandler, ObjectQL } from '@objectstack/objectql';
import { expect, it, onTestFinished } from 'vitest';
import { post, pushBody } from '../http/requests.fixture.js';
import { type Platform, systemPlatform } from '../platform/platform.js';
import type { Principal } from '../principal.js';
import { MemoryStore } from '../storage/memory/memory-store.js';
import { SyncProtocolPlugin, type SyncProtocolPluginOptions } from '../sync-protocol-plugin.js';
import { type KernelParts, startKernel, temporaryDatabase } from './kernel.fixture.js';

const system = { context: AS_SYSTEM } as const;
const title = { type: 'text', label: 'Title', required: true } as const;
const status = { type: 'text', label: 'Status', defaultValue: 'new' } as const;
const TASK = { name: 'task', label: 'Task', sync: { enabled: true }, fields: { title, status } };
const AUDIT = { name: 'audit', label: 'Audit', sync: { enabled: true }, fields: { title } };
const SECRET = { name: 'secret', label: 'Secret', fields: { title } };

/** ObjectStack with a real database, two synced objects and one that is not, and sync over them. */
async function start(options: SyncProtocolPluginOptions = {}, parts: Partial<KernelParts> = {}) {
  const sync = new SyncProtocolPlugin(options);
  const { kernel, stop } = await startKernel({ objects: [TASK, AUDIT, SECRET], plugins: [sync], ...parts });
  onTestFinished(stop);
  return { ...device(sync), engine: kernel.getService<ObjectQL>('objectql'), stop, sync };
}

/** A device that pushes by hand, and what a new device would see. */
function device({ handler }: SyncProtocolPlugin, principal: Principal | null = null) {
  let sequence = 0;
  const push = async (...mutations: readonly Partial<MutationLogEntry>[]): Promise<SyncPushResponse> => {
    const complete = mutations.map((mutation) => {
      sequence += 1;
      return {
        id: `m${sequence}`,
        objectName: 'task',
        recordId: 't1',
        operation: 'create',
        timestamp: '2026-01-01T00:00:00.000Z',
        clientId: 'phone',
        sequence,
        baseVersion: null,
        ...mutation,
      };
    });
    const request = { clientId: 'phone', logId: 'log', protocol: 2, lastCheckpoint: null, mutations: complete };
    return handler.handlePush(request, undefined, { principal });
  };
  /** Without the fields ObjectStack adds. */
  const feed = async () => {
    const { serverChanges } = await handler.handlePull({ clientId: 'tablet', lastCheckpoint: null }, { principal });
    return serverChanges.map(({ objectName, recordId, operation, data, serverVersion }) => [
      `${objectName} ${recordId}`,
      operation === 'delete' ? 'deleted' : [data?.title, data?.status],
      serverVersion,
    ]);
  };
  return { push, feed };
}

it('writes what clients push through the engine, and answers what it stored', async () => {
  const { engine, push } = await start();
  const stored = () => engine.findOne('task', { where: { id: 't1' } }, system);
  const created = await push({ data: { title: 'Buy milk' } });
  const updated = await push({ operation: 'update', data: { status: 'done' }, baseVersion: 1 });
  expect(created.results).toMatchObject([
    { status: 'applied', serverVersion: 1, record: { title: 'Buy milk', status: 'new' } },
  ]);
  expect(updated.results).toMatchObject([{ status: 'applied', serverVersion: 2 }]);
  expect(await stored()).toMatchObject({ id: 't1', title: 'Buy milk', status: 'done' });
  await push({ operation: 'delete', baseVersion: 2 });
  expect(await stored()).toBeNull();
});

it("I2 does not take sync's own writes for somebody else's", async () => {
  const { push, feed } = await start();
  await push({ data: { title: 'Buy milk' } }, { operation: 'update', data: { status: 'done' }, baseVersion: 1 });
  expect(await feed()).toEqual([['task t1', ['Buy milk', 'done'], 2]]);
});

it('brings writes that come past sync to every device: single, many, and deletes', async () => {
  const { engine, feed } = await start();
  await engine.insert('task', { id: 'a', title: 'A' }, system);
  await engine.insert(
    'task',
    [
      { id: 'b', title: 'B' },
      { id: 'c', title: 'C' },
    ],
    system,
  );
  await engine.insertMany('task', [{ id: 'd', title: 'D' }, { id: 'e' }], system);
  await engine.update('task', { id: 'a', status: 'done' }, system);
  await engine.update('task', { title: 'Late' }, { where: { title: 'B' }, multi: true, ...system });
  await engine.delete('task', { where: { id: 'c' }, ...system });
  await engine.delete('task', { where: { title: 'D' }, multi: true, ...system });
  expect(await feed()).toEqual([
    ['task a', ['A', 'done'], 2],
    ['task b', ['Late', 'new'], 2],
    ['task c', 'deleted', 2],
    ['task d', 'deleted', 2],
  ]);
});

it('I11 takes a transaction as a whole, each record as one version, and nothing of one that is rolled back', async () => {
  const { engine, feed } = await start();
  await engine.transaction(async () => {
    await engine.insert('task', { id: 'a', title: 'A' }, system);
    await engine.update('task', { id: 'a', status: 'done' }, system);
  });
  const failing = engine.transaction(async (context) => {
    await engine.insert('task', { id: 'b', title: 'B' }, system);
    await engine.update('task', { id: 'a', status: 'lost' }, { context });
    throw new Error('changed my mind');
  });
  await expect(failing).rejects.toThrow('changed my mind');
  expect(await feed()).toEqual([['task a', ['A', 'done'], 1]]);
});

it('I11 writes nothing when the feed cannot be written', async () => {
  const { engine, feed } = await start();
  const isOurs: HookHandler = ({ input }) => {
    if ((input.data as { object_name?: string }).object_name === 'task') throw new Error('the disk is full');
  };
  engine.registerHook('beforeInsert', isOurs, { object: 'objectstack_sync_record' });
  await expect(engine.insert('task', { id: 'a', title: 'A' }, system)).rejects.toThrow('the disk is full');
  expect([await engine.find('task', {}, system), await feed()]).toEqual([[], []]);
});

it("takes what hooks write beside a client's change, and what they change in it", async () => {
  const { engine, push, feed } = await start();
  const emphasize: HookHandler = ({ input }) => {
    const task = input.data as { title: string };
    task.title += '!';
  };
  engine.registerHook('beforeInsert', emphasize, { object: 'task' });
  engine.registerHook(
    'afterInsert',
    async () => void (await engine.insert('audit', { id: 'log-1', title: 'created' }, system)),
    { object: 'task' },
  );
  const { results } = await push({ data: { title: 'Buy milk' } });
  expect(results).toMatchObject([{ status: 'applied', record: { title: 'Buy milk!' } }]);
  expect(await feed()).toEqual([
    ['task t1', ['Buy milk!', 'new'], 1],
    ['audit log-1', ['created', undefined], 1],
  ]);
});

it('I5 gives a record two versions when a push and a hook of the same push write it', async () => {
  const { engine, push, feed } = await start();
  await push({ recordId: 'parent', data: { title: 'Parent' } });
  engine.registerHook(
    'afterInsert',
    async () => void (await engine.update('task', { id: 'parent', status: 'has a child' }, system)),
    { object: 'task' },
  );
  await push(
    { recordId: 'parent', operation: 'update', data: { title: 'Renamed' }, baseVersion: 1 },
    { recordId: 'child', data: { title: 'Child' } },
  );
  expect(await feed()).toEqual([
    ['task child', ['Child', 'new'], 1],
    ['task parent', ['Renamed', 'has a child'], 3],
  ]);
});

it('meets an offline edit of what was changed past sync as a conflict', async () => {
  const { engine, push, feed } = await start();
  await push({ data: { title: 'Buy milk' } });
  await engine.update('task', { id: 't1', title: 'Buy bread' }, system);
  const { results } = await push({ operation: 'update', data: { title: 'Buy cream' }, baseVersion: 1 });
  expect(results).toMatchObject([{ status: 'conflict', conflict: { conflictingFields: ['title'], serverVersion: 2 } }]);
  expect(await feed()).toEqual([['task t1', ['Buy bread', 'new'], 2]]);
});

it('refuses for good what the engine refuses for good, saying which field and why, and goes on', async () => {
  const { engine, push, feed } = await start();
  const refuse: HookHandler = ({ input }) => {
    if ((input.data as { title?: string }).title !== 'forbidden word') return;
    throw Object.assign(new Error('Mind your words.'), { status: 422 });
  };
  engine.registerHook('beforeInsert', refuse, { object: 'task' });
  const { results } = await push(
    { recordId: 'a', data: {} },
    { recordId: 'b', data: { title: 'B', colour: 'red' } },
    { recordId: 7, data: { title: 'Z' } },
    { recordId: 'c', data: { title: 'forbidden word' } },
    { recordId: 'd', objectName: 'secret', data: { title: 'S' } },
    { recordId: 'e', data: { title: 'E' } },
  );
  expect(results).toMatchObject([
    { status: 'rejected', code: 'VALIDATION', reason: 'title: Title is required' },
    { status: 'rejected', code: 'VALIDATION', reason: "Unknown field 'colour' on object 'task'" },
    { status: 'rejected', code: 'INVALID', reason: 'Record ids are strings here.' },
    { status: 'rejected', code: 'VALIDATION', reason: 'Mind your words.' },
    { status: 'rejected', code: 'UNKNOWN_OBJECT' },
    { status: 'applied', serverVersion: 1 },
  ]);
  expect(await feed()).toEqual([['task e', ['E', 'new'], 1]]);
});

it('enrols the records from before sync, and finds what was written while it was away', async () => {
  const { filename, without } = await olderThanSync();

  const first = await start({}, { filename });
  await first.sync.enrolled();
  expect(await first.feed()).toHaveLength(450);
  await first.stop();

  await without(async (engine) => {
    await engine.delete('task', { where: { id: 't1' }, ...system });
    await engine.update('task', { id: 't2', title: 'changed' }, system);
  });

  const second = await start({}, { filename });
  await second.sync.reconcile();
  expect((await second.feed()).slice(-2)).toEqual([
    ['task t2', ['changed', 'new'], 2],
    ['task t1', 'deleted', 2],
  ]);
});

it('I4 finds what was written while an object was not synced', async () => {
  const { filename, remove } = temporaryDatabase();
  onTestFinished(remove);
  const run = async (enabled: boolean, write: object) => {
    const objects = [{ ...TASK, sync: { enabled } }];
    const { engine, sync, feed, stop } = await start({}, { filename, objects });
    await engine.insert('task', write, system);
    await sync.enrolled();
    const told = await feed();
    await stop();
    return told.toSorted();
  };
  await run(true, { id: 't1', title: 'before' });
  await run(false, { id: 't2', title: 'in between' });
  expect(await run(true, { id: 't3', title: 'after' })).toEqual([
    ['task t1', ['before', 'new'], 1],
    ['task t2', ['in between', 'new'], 1],
    ['task t3', ['after', 'new'], 1],
  ]);
});

it.each(['start', 'destroy'] as const)(
  'I4 brings what another plugin writes in its own %s to every device',
  async (when) => {
    const { filename, remove } = temporaryDatabase();
    onTestFinished(remove);
    // One says so in its definition, the other in the options.
    const synced = ['task', 'secret'];
    const options = { objects: { secret: { enabled: true } } };
    const first = await start(options, { filename });
    await first.sync.enrolled();
    for (const objectName of synced) await first.engine.insert(objectName, { id: 't1', title: 'Buy milk' }, system);
    await first.stop();

    let engine: DataEngine;
    const write = async () => {
      for (const objectName of synced) await engine.update(objectName, { id: 't1', title: 'Buy oat milk' }, system);
    };
    const writer = {
      name: 'writer',
      version: '1.0.0',
      dependencies: ['app'],
      init(context: KernelContext) {
        engine = context.getService<DataEngine>('objectql');
      },
      async start() {
        if (when === 'start') await write();
      },
      async destroy() {
        if (when === 'destroy') await write();
      },
    };
    const sync = new SyncProtocolPlugin(options);
    // First, so that it starts before sync and ends after it.
    const second = await startKernel({ objects: [TASK, AUDIT, SECRET], plugins: [writer, sync], filename });
    await second.stop();
    const third = await start(options, { filename });
    expect(await third.feed()).toEqual([
      ['task t1', ['Buy oat milk', 'new'], 2],
      ['secret t1', ['Buy oat milk', undefined], 2],
    ]);
  },
);

it('enrols each record once, though the process ends in the midst of it', async () => {
  const { filename, tasks } = await olderThanSync();

  const { platform, paused, goOn } = pausingPlatform();
  const first = await start({ platform }, { filename, objects: [TASK] });
  await paused;
  const enrolled = await first.feed();
  const stopping = first.stop();
  goOn();
  await stopping;

  const second = await start({}, { filename, objects: [TASK] });
  await second.sync.enrolled();
  const all = await second.feed();
  expect([enrolled.length, all.slice(0, enrolled.length)]).toEqual([200, enrolled]);
  expect(all.map(([record, , version]) => `${record} ${version}`).sort()).toEqual(
    tasks.map(({ id }) => `task ${id} 1`).sort(),
  );
});

/** A database with 450 tasks that sync has never seen, and a way to work on it without sync. */
async function olderThanSync() {
  const { filename, remove } = temporaryDatabase();
  onTestFinished(remove);
  const without = async (work: (engine: DataEngine) => Promise<unknown>) => {
    const { engine, stop } = await startKernel({ filename, objects: [TASK] });
    await work(engine);
    await stop();
  };
  const tasks = Array.from({ length: 450 }, (_, index) => ({ id: `t${index}`, title: `${index}` }));
  await without((engine) => engine.insert('task', tasks, system));
  return { filename, tasks, without };
}

/** A platform on which what pauses without a delay, as between two slices, waits until it is told to go on. */
function pausingPlatform() {
  const waiting: (() => void)[] = [];
  let isPausing = true;
  let pause = () => {};
  const paused = new Promise<void>((resolve) => {
    pause = resolve;
  });
  const platform: Platform = {
    ...systemPlatform,
    setTimer(work, delayMs) {
      if (delayMs > 0 || !isPausing) return systemPlatform.setTimer(work, delayMs);
      waiting.push(work);
      pause();
      return () => {};
    },
  };
  const goOn = () => {
    isPausing = false;
    for (const work of waiting) work();
  };
  return { platform, paused, goOn };
}

it('I1 writes through the engine what comes to an endpoint that was taken before the start', async () => {
  const sync = new SyncProtocolPlugin();
  const { endpoint } = sync;
  const statuses: number[] = [];
  const push = async () => {
    const { status } = await endpoint(new Request('http://localhost/api/sync/push', post(pushBody())));
    statuses.push(status);
  };
  const early = { name: 'early', version: '1.0.0', dependencies: [sync.name], init: push };
  const { engine, stop } = await startKernel({ objects: [TASK], plugins: [sync, early] });
  onTestFinished(stop);
  await push();
  expect([statuses, await engine.find('task', {}, system)]).toMatchObject([[503, 200], [{ id: 'task-1' }]]);
});

it('I1 takes nothing into a handler that was taken before the start', async () => {
  const sync = new SyncProtocolPlugin();
  const { handler } = sync;
  const { stop } = await startKernel({ objects: [TASK], plugins: [sync] });
  onTestFinished(stop);
  await expect(handler.handlePush(pushBody())).rejects.toMatchObject({ code: 'BUSY' });
});

it('says at the start what is missing', async () => {
  const cases: readonly (readonly [SyncProtocolPluginOptions, object, RegExp])[] = [
    [{ objects: new Map([['taks', { enabled: true }]]) }, TASK, /there is no object 'taks' in the registry/],
    [{}, { ...TASK, sync: { enabled: 'yes' } }, /definition of 'task' is wrong: sync\.enabled must be true or false/],
    [{ store: new MemoryStore() }, TASK, /data engine keeps records and sync's state\. Leave the store out/],
  ];
  for (const [options, object, message] of cases) {
    await expect(start(options, { objects: [object] })).rejects.toThrow(message);
  }
});

it('I1 goes on from where it stopped, keeps everything, and is destroyed twice', async () => {
  const { filename, remove } = temporaryDatabase();
  onTestFinished(remove);
  const first = await start({}, { filename });
  await first.push({ data: { title: 'Buy milk' } });
  await first.stop();
  await first.sync.destroy();
  const second = await start({}, { filename });
  const { results } = await second.push({ data: { title: 'Buy milk' } });
  expect(results).toMatchObject([{ status: 'applied', serverVersion: 1, duplicate: true }]);
  expect(await second.feed()).toEqual([['task t1', ['Buy milk', 'new'], 1]]);
});
