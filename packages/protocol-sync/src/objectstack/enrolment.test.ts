import { AS_SYSTEM, type KernelPlugin } from '@objectql/sync-types/kernel';
import type { HookHandler, ObjectQL } from '@objectstack/objectql';
import { expect, it, onTestFinished } from 'vitest';
import { type Platform, systemPlatform } from '../platform/platform.js';
import { SyncProtocolPlugin } from '../sync-protocol-plugin.js';
import { RETRY_MS } from './engine-sync.js';
import { startingFirst, startKernel, temporaryDatabase } from './kernel.fixture.js';

const text = { type: 'text', label: 'Text' } as const;

it('I4 sends what a changed definition makes of records that nobody writes', async () => {
  const { filename, remove } = temporaryDatabase();
  onTestFinished(remove);
  const run = async (fields: object, record?: object) => {
    const sync = new SyncProtocolPlugin();
    const objects = [{ name: 'task', label: 'Task', sync: { enabled: true }, fields }];
    const { engine, stop } = await startKernel({ objects, plugins: [sync], filename });
    if (record) await engine.insert('task', record, { context: AS_SYSTEM });
    await sync.enrolled();
    const { serverChanges } = await sync.handler.handlePull({ clientId: 'tablet', lastCheckpoint: null });
    await stop();
    return serverChanges.map(({ data, serverVersion }) => [data?.size, data?.status, data?.next, serverVersion]);
  };
  const next = (expression: string) => ({ type: 'formula', label: 'Next', returnType: 'number', expression });
  const size = { ...text, type: 'number' };
  const typed = { size, next: next('1') };
  const added = { ...typed, status: { ...text, defaultValue: 'new' } };
  const computed = { ...added, next: next('record.size + 1') };
  const runs = [
    await run({ size: text, next: next('1') }, { id: 't1', size: '5' }),
    ...[await run(typed), await run(added), await run(computed), await run(computed)],
  ];
  expect(runs).toEqual([
    [['5', undefined, 1, 1]],
    [[5, undefined, 1, 2]],
    [[5, 'new', 1, 3]],
    [[5, 'new', 6, 4]],
    [[5, 'new', 6, 4]],
  ]);
});

it('I4 sends the lists that the values of a field read as once it takes several', async () => {
  const { filename, remove } = temporaryDatabase();
  onTestFinished(remove);
  const run = async (multiple: boolean, record?: object) => {
    const sync = new SyncProtocolPlugin();
    const sizes = { type: 'select', label: 'Sizes', multiple, options: [{ label: 'Small', value: '["s"]' }] };
    const objects = [{ name: 'task', label: 'Task', sync: { enabled: true }, fields: { sizes } }];
    const { engine, stop } = await startKernel({ objects, plugins: [sync], filename });
    if (record) await engine.insert('task', record, { context: AS_SYSTEM });
    await sync.enrolled();
    const { serverChanges } = await sync.handler.handlePull({ clientId: 'tablet', lastCheckpoint: null });
    await stop();
    return serverChanges.map(({ data, serverVersion }) => [data?.sizes, serverVersion]);
  };
  expect([await run(false, { id: 't1', sizes: '["s"]' }), await run(true)]).toEqual([[['["s"]', 1]], [[['s'], 2]]]);
});

/** A plugin that adds a field to tasks when all others have started. */
const lateField: KernelPlugin = {
  name: 'late',
  version: '1.0.0',
  init() {},
  start(context) {
    const objectExtensions = [{ extend: 'task', fields: { extra: text } }];
    const manifest = { id: 'late', name: 'late', version: '1.0.0', type: 'app', objects: [], objectExtensions };
    context.hook('kernel:ready', async () =>
      context.getService<{ register(manifest: object): void }>('manifest').register(manifest),
    );
  },
};

it('compares records once, though a plugin adds a field at the end of each start', async () => {
  const { filename, remove } = temporaryDatabase();
  onTestFinished(remove);
  const objects = [{ name: 'task', label: 'Task', sync: { enabled: true }, fields: { title: text } }];
  const run = async () => {
    const sync = new SyncProtocolPlugin();
    const { engine, stop } = await startKernel({ objects, plugins: [sync, lateField], filename });
    let reads = 0;
    engine.registerMiddleware(async ({ object, operation }, next) => {
      if (object === 'task' && operation === 'find') reads++;
      await next();
    });
    await sync.enrolled();
    await stop();
    return reads > 0;
  };
  const before = await startKernel({ objects, plugins: [], filename });
  await before.engine.transaction(
    async () => {
      for (let n = 0; n < 500; n++) await before.engine.insert('task', { title: `${n}` }, { context: AS_SYSTEM });
    },
    AS_SYSTEM,
    { require: true },
  );
  await before.stop();
  expect([await run(), await run()]).toEqual([true, false]);
});

it('has ended once sync is stopped, as the engine it reads may end then', async () => {
  const { filename, remove } = temporaryDatabase();
  onTestFinished(remove);
  const objects = [{ name: 'task', label: 'Task', sync: { enabled: true }, fields: { title: text } }];
  const before = await startKernel({ objects, filename });
  await before.engine.insert('task', { title: 'Buy milk' }, { context: AS_SYSTEM });
  await before.stop();
  const transcript: string[] = [];
  let pause = (_goOn: () => void) => {};
  const paused = new Promise<() => void>((resolve) => {
    pause = resolve;
  });
  const setTimer: Platform['setTimer'] = (work, delayMs) => {
    if (delayMs > 0) return systemPlatform.setTimer(work, delayMs);
    // Enrolment, between two slices.
    pause(work);
    return () => {};
  };
  const sync = new SyncProtocolPlugin({ platform: { ...systemPlatform, setTimer } });
  const { stop } = await startKernel({ objects, plugins: [sync], filename });
  onTestFinished(stop);
  const goOn = await paused;
  // Behind what is pruned at the start, for which stopping waits too.
  await sync.handler.prune();
  const stopping = sync.destroy().then(() => transcript.push('stopped'));
  setImmediate(() => {
    transcript.push('went on');
    goOn();
  });
  await stopping;
  expect(transcript).toEqual(['went on', 'stopped']);
});

it('I4 enrols after a minute what it could not read while the database was away', async () => {
  const { filename, remove } = temporaryDatabase();
  onTestFinished(remove);
  const objects = [{ name: 'task', label: 'Task', sync: { enabled: true }, fields: { title: text } }];
  const before = await startKernel({ objects, filename });
  await before.engine.insert('task', { id: 't1', title: 'Buy milk' }, { context: AS_SYSTEM });
  await before.stop();
  let isAway = true;
  const database: KernelPlugin = {
    name: 'database',
    version: '1.0.0',
    dependencies: ['app'],
    init(context) {
      const refuse: HookHandler = async () => {
        if (isAway) throw new Error('The database is away.');
      };
      context.getService<ObjectQL>('objectql').registerHook('beforeFind', refuse, { object: 'task' });
    },
  };
  let retry = () => {};
  const setTimer: Platform['setTimer'] = (work, delayMs) => {
    if (delayMs !== RETRY_MS) return systemPlatform.setTimer(work, delayMs);
    retry = work;
    return () => {};
  };
  const sync = new SyncProtocolPlugin({ platform: { ...systemPlatform, setTimer } });
  const { stop } = await startKernel({ objects, plugins: [database, sync], filename });
  onTestFinished(stop);
  await sync.enrolled();
  isAway = false;
  retry();
  await sync.enrolled();
  const { serverChanges } = await sync.handler.handlePull({ clientId: 'tablet', lastCheckpoint: null });
  expect(serverChanges).toMatchObject([{ recordId: 't1', serverVersion: 1 }]);
});

it('I4 enrols in the background what other plugins have written in the start, if that is much', async () => {
  const { filename, remove } = temporaryDatabase();
  onTestFinished(remove);
  const objects = [{ name: 'task', label: 'Task', sync: { enabled: true }, fields: { title: text } }];
  const first = new SyncProtocolPlugin();
  const before = await startKernel({ objects, plugins: [first], filename });
  await first.enrolled();
  await before.stop();
  const writer = startingFirst(async (engine) => {
    for (let from = 0; from < 5250; from += 250) {
      const tasks = Array.from({ length: 250 }, (_, index) => ({ id: `t${from + index}`, title: 'x' }));
      await engine.insert('task', tasks, { context: AS_SYSTEM });
    }
  });
  let goOn = () => {};
  const isStarted = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const setTimer: Platform['setTimer'] = (work, delayMs) => {
    // Enrolment, between two slices.
    if (delayMs === 0) void isStarted.then(work);
    return delayMs === 0 ? () => {} : systemPlatform.setTimer(work, delayMs);
  };
  const sync = new SyncProtocolPlugin({ platform: { ...systemPlatform, setTimer } });
  const { stop } = await startKernel({ objects, plugins: [writer, sync], filename });
  onTestFinished(stop);
  const head = async () => (await sync.handler.store.page({ after: 0, limit: 1 })).facts.head;
  expect(await head()).toBeLessThan(5250);
  goOn();
  await sync.enrolled();
  expect(await head()).toBe(5250);
});
