/** Writes of a size or a shape that the engine allows and sync has to follow. */
import type { MutationLogEntry } from '@objectql/sync-types';
import { AS_SYSTEM, type KernelPlugin } from '@objectql/sync-types/kernel';
import type { HookHandler, ObjectQL } from '@objectstack/objectql';
import { expect, it, onTestFinished, vi } from 'vitest';
import { systemPlatform } from '../platform/platform.js';
import type { Authorize } from '../rules/authorize.js';
import { SyncProtocolPlugin, type SyncProtocolPluginOptions } from '../sync-protocol-plugin.js';
import { EngineRecords } from './engine-records.js';
import { startingFirst, startKernel, temporaryDatabase } from './kernel.fixture.js';

const system = { context: AS_SYSTEM } as const;
const TASK = {
  name: 'task',
  label: 'Task',
  sync: { enabled: true },
  fields: { title: { type: 'text', label: 'Title' } },
};

/** ObjectStack with a real database, a synced object, and a device that pushes creates. */
async function start(options: SyncProtocolPluginOptions = {}) {
  const sync = new SyncProtocolPlugin(options);
  const { stop, engine } = await startKernel({ objects: [TASK], plugins: [sync] });
  onTestFinished(stop);
  const push = (titleById: Readonly<Record<string, string>>) => {
    const mutations = Object.entries(titleById).map(([recordId, title], index) => ({
      id: `m-${recordId}`,
      objectName: 'task',
      recordId,
      operation: 'create' as const,
      data: { title },
      timestamp: '2026-01-01T00:00:00.000Z',
      clientId: 'phone',
      sequence: index + 1,
      baseVersion: null,
    }));
    return sync.handler.handlePush({ clientId: 'phone', logId: 'log', protocol: 2, lastCheckpoint: null, mutations });
  };
  const feed = async () => {
    const { serverChanges } = await sync.handler.handlePull({ clientId: 'tablet', lastCheckpoint: null });
    return Object.fromEntries(serverChanges.map(({ recordId, data }) => [recordId, data?.title ?? 'deleted']));
  };
  // A cast: the service is this class, of which sync itself uses less.
  return { push, feed, sync, engine: engine as unknown as ObjectQL };
}

it('takes a push of more records than SQLite takes rows in one statement', async () => {
  const now = Date.now();
  // Its clock stands still: a push that takes too long on SQLite leaves the rest for the next one.
  const { push, engine } = await start({ platform: { ...systemPlatform, now: () => now } });
  const titleById = Object.fromEntries(Array.from({ length: 501 }, (_, index) => [`t${index}`, 'x']));
  const { results } = await push(titleById);
  expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['applied']));
  expect(await engine.count('task', {}, system)).toBe(501);
});

it('reads more records at once than SQLite takes values in one statement', async () => {
  const { engine } = await start();
  for (const id of ['t39999', 'other']) await engine.insert('task', { id, title: 'x' }, system);
  const refs = Array.from({ length: 40_000 }, (_, index) => ({ objectName: 'task', recordId: `t${index}` }));
  const records = await new EngineRecords(engine as never).readAll(refs, AS_SYSTEM);
  expect([...records.values()]).toMatchObject([{ title: 'x' }]);
});

it('I4 takes from devices the id they made where a hook gave the record another', async () => {
  const { push, feed, engine } = await start();
  const rename: HookHandler = async ({ input }) => void Object.assign(input.data as object, { id: 'of-hook' });
  engine.registerHook('beforeInsert', rename, { object: 'task' });
  await push({ t1: 'Buy milk' });
  expect(await feed()).toEqual({ t1: 'deleted', 'of-hook': 'Buy milk' });
});

it('I4 brings a record to devices also where a hook has emptied the answer of its insert', async () => {
  const { feed, engine } = await start();
  const empty: HookHandler = async (context) => {
    context.result = null;
  };
  engine.registerHook('afterInsert', empty, { object: 'task' });
  await engine.insert('task', { id: 't1', title: 'Buy milk' }, system);
  expect(await feed()).toEqual({ t1: 'Buy milk' });
});

it('asks a hook once that refuses a record which its user makes again, and says that it is forbidden', async () => {
  const { push, sync, engine } = await start();
  await push({ t1: 'Buy milk' });
  await engine.delete('task', { where: { id: 't1' }, ...system });
  const asked: unknown[] = [];
  const refuse: HookHandler = async ({ input }) => {
    asked.push((input.data as { readonly title?: unknown }).title);
    throw Object.assign(new Error('Not today.'), { status: 403 });
  };
  engine.registerHook('beforeInsert', refuse, { object: 'task' });
  const again: MutationLogEntry = {
    id: 'again',
    objectName: 'task',
    recordId: 't1',
    operation: 'create',
    data: { title: 'Once more' },
    timestamp: '2027-01-01T00:00:00.000Z',
    clientId: 'phone',
    sequence: 2,
    baseVersion: 2,
  };
  const { results } = await sync.handler.handlePush({
    clientId: 'phone',
    logId: 'log',
    protocol: 2,
    lastCheckpoint: null,
    mutations: [again],
  });
  expect([asked, results]).toEqual([['Once more'], [expect.objectContaining({ code: 'FORBIDDEN' })]]);
});

it('I11 undoes the write behind which a hook throws an error that is its own cause', async () => {
  const { push, feed, engine } = await start({ onWarning: () => {} });
  const fail: HookHandler = async ({ input }) => {
    if ((input.data as { readonly title?: unknown }).title !== 'bad') return;
    const error = new Error('Not today.');
    throw Object.assign(error, { cause: error });
  };
  engine.registerHook('afterInsert', fail, { object: 'task' });
  const { results } = await push({ t1: 'bad', t2: 'good' });
  expect(results).toMatchObject([{ code: 'INTERNAL' }, { status: 'applied' }]);
  expect([await engine.count('task', {}, system), await feed()]).toEqual([1, { t2: 'good' }]);
});

it('I4 follows writes that name their record by a number', async () => {
  const { feed, engine } = await start();
  for (const id of [7, 8, 9]) await engine.insert('task', { id, title: 'Buy milk' }, system);
  await engine.update('task', { id: 8, title: 'Late' }, system);
  await engine.update('task', { title: 'Late' }, { where: { id: 9n }, ...system });
  await engine.delete('task', { where: { id: 7 }, ...system });
  expect(await feed()).toEqual({ 7: 'deleted', 8: 'Late', 9: 'Late' });
});

it('I11 follows what a failed write leaves behind in a transaction that goes on without it', async () => {
  const { feed, engine } = await start();
  const writeMore: HookHandler = async ({ input }) => {
    const { id } = input.data as { readonly id: string };
    if (id === 'refused') await engine.insert('task', { id: 'of-hook', title: 'x' }, system);
    if (id === 'refused') throw new Error('refused');
  };
  const fail: HookHandler = async () => Promise.reject(new Error('too late'));
  engine.registerHook('beforeInsert', writeMore, { object: 'task' });
  engine.registerHook('afterUpdate', fail, { object: 'task' });
  await engine.insert('task', { id: 't1', title: 'Buy milk' }, system);
  await engine.transaction(async () => {
    await engine.insert('task', { id: 'refused', title: 'x' }, system).catch(() => {});
    await engine.update('task', { id: 't1', title: 'Late' }, system).catch(() => {});
  });
  const rows = await engine.find('task', {}, system);
  expect(Object.fromEntries(rows.map(({ id, title }) => [id, title]))).toEqual({ t1: 'Late', 'of-hook': 'x' });
  expect(await feed()).toEqual({ t1: 'Late', 'of-hook': 'x' });
});

it('enrols the objects it can read beside one that it cannot, and says so', async () => {
  const logged: unknown[] = [];
  const sync = new SyncProtocolPlugin();
  const records: KernelPlugin = {
    name: 'records',
    version: '1.0.0',
    dependencies: ['app'],
    async init(context) {
      const engine = context.getService<ObjectQL>('objectql');
      const refuse: HookHandler = async () => Promise.reject(new Error('the view is broken'));
      engine.registerHook('beforeFind', refuse, { object: 'broken' });
      context.logger.error = (message) => void logged.push(message);
    },
  };
  const objects = [{ ...TASK, name: 'broken' }, TASK];
  const { filename, remove } = temporaryDatabase();
  onTestFinished(remove);
  const first = await startKernel({ objects: [TASK], filename });
  await first.engine.insert('task', { id: 't1', title: 'Buy milk' }, system);
  await first.stop();
  const { stop } = await startKernel({ objects, plugins: [records, sync], filename });
  onTestFinished(stop);
  await sync.enrolled();
  const { serverChanges } = await sync.handler.handlePull({ clientId: 'tablet', lastCheckpoint: null });
  expect(serverChanges).toMatchObject([{ objectName: 'task', recordId: 't1' }]);
  expect(logged).toEqual([expect.stringContaining('it goes on in a minute')]);
  await expect(sync.reconcile()).rejects.toMatchObject({ errors: [{ message: 'the view is broken' }] });
});

it('refuses for good an id that the engine takes for a placeholder, and takes the rest of the push', async () => {
  const { push, feed, engine } = await start();
  const { results } = await push({ '{today}': 'x', '{8F2C-11D3}': 'x', '{t1}}': 'Buy milk' });
  expect(results).toMatchObject([{ code: 'INVALID' }, { code: 'INVALID' }, { status: 'applied' }]);
  expect(await engine.find('task', {}, system)).toMatchObject([{ id: '{t1}}' }]);
  expect(await feed()).toEqual({ '{t1}}': 'Buy milk' });
});

it('names a record that devices cannot take in one line of the log, whatever its id', async () => {
  const logged: unknown[] = [];
  const listening: KernelPlugin = {
    name: 'listening',
    version: '1.0.0',
    init(context) {
      context.logger.warn = (message) => void logged.push(message);
    },
  };
  const { stop, engine } = await startKernel({ objects: [TASK], plugins: [listening, new SyncProtocolPlugin()] });
  onTestFinished(stop);
  logged.length = 0;
  await engine.insert('task', { id: '{x\nERROR}', title: 'x' }, system);
  expect(logged).toEqual(['Sync: task {x\\u000aERROR} is not sent to devices: its id stands in braces.']);
});

it('writes nothing that was given up while the record was read', async () => {
  const { engine } = await start();
  const mutation: MutationLogEntry = {
    id: 'm1',
    objectName: 'task',
    recordId: 't1',
    operation: 'create',
    data: { title: 'late' },
    timestamp: '2026-01-01T00:00:00.000Z',
    clientId: 'phone',
    sequence: 1,
    baseVersion: null,
  };
  const context = { principal: null, transaction: undefined, signal: AbortSignal.abort(new Error('given up')) };
  const written = new EngineRecords(engine as never).applyMutation(mutation, 1, context);
  await expect(written).rejects.toThrow('given up');
  expect(await engine.find('task', {}, system)).toEqual([]);
});

it('enrols and follows the records beside those whose ids the engine takes for placeholders', async () => {
  const { filename, remove } = temporaryDatabase();
  onTestFinished(remove);
  const first = await startKernel({ objects: [TASK], filename });
  // More of them than are enrolled at once, and a record before and behind them.
  const odd = Array.from({ length: 201 }, (_, index) => `{8F2C-${1000 + index}}`);
  for (const id of ['a', ...odd, '~']) await first.engine.insert('task', { id, title: 'old' }, system);
  await first.stop();
  const sync = new SyncProtocolPlugin();
  const { engine, stop } = await startKernel({ objects: [TASK], plugins: [sync], filename });
  onTestFinished(stop);
  await sync.enrolled();
  await engine.insert('task', { id: '{8F2C-1}', title: 'new' }, system);
  await engine.insert('task', { id: 'b', title: 'new' }, system);
  const { serverChanges } = await sync.handler.handlePull({ clientId: 'tablet', lastCheckpoint: null });
  expect(serverChanges.map(({ recordId }) => recordId)).toEqual(['a', '~', 'b']);
});

it('takes a whole record as a device has it, with what the engine computes', async () => {
  const fields = {
    size: { type: 'number', label: 'Size' },
    twice: { type: 'formula', label: 'Twice', expression: 'record.size * 2', returnType: 'number' },
  };
  const sync = new SyncProtocolPlugin();
  const { engine, stop } = await startKernel({ objects: [{ ...TASK, fields }], plugins: [sync] });
  onTestFinished(stop);
  await engine.insert('task', { id: 't1', size: 1 }, system);
  const [seen] = (await sync.handler.handlePull({ clientId: 'phone', lastCheckpoint: null })).serverChanges;
  const common = { objectName: 'task', timestamp: '2026-01-01T00:00:00.000Z', clientId: 'phone', baseVersion: 1 };
  const { results } = await sync.handler.handlePush({
    clientId: 'phone',
    lastCheckpoint: null,
    mutations: [
      { ...common, id: 'm1', recordId: 't1', operation: 'update', sequence: 1, data: { ...seen?.data, size: 2 } },
      { ...common, id: 'm2', recordId: 't2', operation: 'create', sequence: 2, data: { size: 3, twice: 0 } },
    ],
  });
  expect(results).toMatchObject([{ record: { size: 2, twice: 4 } }, { record: { size: 3, twice: 6 } }]);
});

it('I12 sends no formula of another day, whose value may be masked though it reads as nothing today', async () => {
  const expression = 'today() < date("2026-01-03") ? record.title : null';
  const secret = { type: 'formula', label: 'Formula', expression, returnType: 'text' };
  const sync = new SyncProtocolPlugin();
  const objects = [{ ...TASK, fields: { ...TASK.fields, secret } }];
  const { engine, stop } = await startKernel({ objects, plugins: [sync] });
  onTestFinished(stop);
  engine.registerMiddleware(async (operation, next) => {
    await next();
    if (operation.object !== 'task' || operation.context?.userId === undefined) return;
    for (const row of operation.result as { secret: string | null }[]) row.secret &&= '***';
  });
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-01-01T12:00:00Z') });
  onTestFinished(() => void vi.useRealTimers());
  await engine.insert('task', { id: 't1', title: 'ada' }, system);
  vi.setSystemTime('2026-01-05T12:00:00Z');
  const pull = { clientId: 'tablet', lastCheckpoint: null };
  const { serverChanges } = await sync.handler.handlePull(pull, { principal: { id: 'ada' } });
  expect(serverChanges[0]?.data).toMatchObject({ title: 'ada' });
  expect(serverChanges[0]?.data).not.toHaveProperty('secret');
});

it('I4 sends files as they are stored, by their ids, so that what a device writes back is one still', async () => {
  const fields = { photo: { type: 'image', label: 'Photo' } };
  const file = { name: 'sys_file', label: 'File', fields: { status: { type: 'text', label: 'Status' } } };
  const sync = new SyncProtocolPlugin();
  const { engine, stop } = await startKernel({ objects: [{ ...TASK, fields }, file], plugins: [sync] });
  onTestFinished(stop);
  await engine.insert('sys_file', { id: 'file-1', status: 'committed' }, system);
  await engine.insert('task', { id: 't1', photo: 'file-1' }, system);
  const pulled = async () => {
    const pull = { clientId: 'tablet', lastCheckpoint: null };
    const { serverChanges } = await sync.handler.handlePull(pull, { principal: { id: 'ada' } });
    return serverChanges[0]?.data?.photo;
  };
  const before = await pulled();
  await engine.update('sys_file', { id: 'file-1', status: 'deleted' }, system);
  expect([before, await pulled()]).toEqual(['file-1', 'file-1']);
});

it('goes on in a second kernel with the plugin of the first', async () => {
  const { filename, remove } = temporaryDatabase();
  onTestFinished(remove);
  const sync = new SyncProtocolPlugin();
  const pull = () => sync.handler.handlePull({ clientId: 'tablet', lastCheckpoint: null });
  const told: unknown[] = [];
  for (const id of ['first', 'second']) {
    const { engine, stop } = await startKernel({ objects: [TASK], plugins: [sync], filename });
    await engine.insert('task', { id, title: 'Buy milk' }, system);
    told.push((await pull()).serverChanges.map(({ recordId }) => recordId));
    await stop();
    await expect(pull()).rejects.toMatchObject({ code: 'BUSY' });
  }
  expect(told).toEqual([['first'], ['first', 'second']]);
});

it("I12 asks an application's own rules also where they are the methods of a class", async () => {
  class Rules implements Authorize {
    readonly #hidden = 'secret';
    read({ recordId }: Parameters<NonNullable<Authorize['read']>>[0]): 'allow' | 'hide' {
      return recordId === this.#hidden ? 'hide' : 'allow';
    }
  }
  const { feed, engine } = await start({ authorize: new Rules() });
  for (const id of ['secret', 'open']) await engine.insert('task', { id, title: 'Buy milk' }, system);
  expect(await feed()).toEqual({ open: 'Buy milk' });
});

it('I4 brings to every device a write that begins before sync follows any, and ends after', async () => {
  const { filename, remove } = temporaryDatabase();
  onTestFinished(remove);
  const first = await startKernel({ objects: [TASK], plugins: [new SyncProtocolPlugin()], filename });
  await first.engine.insert('task', { id: 't1', title: 'Buy milk' }, system);
  await first.stop();
  let goOn = () => {};
  const started = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let written: Promise<unknown> | undefined;
  const writer = startingFirst((engine) => {
    engine.registerHook('beforeUpdate', () => started, { object: 'task' });
    written = engine.update('task', { id: 't1', title: 'Buy oat milk' }, system);
  });
  const second = await startKernel({ objects: [TASK], plugins: [writer, new SyncProtocolPlugin()], filename });
  goOn();
  await written;
  await second.stop();
  const sync = new SyncProtocolPlugin();
  const { stop } = await startKernel({ objects: [TASK], plugins: [sync], filename });
  onTestFinished(stop);
  const { serverChanges } = await sync.handler.handlePull({ clientId: 'tablet', lastCheckpoint: null });
  expect(serverChanges.map(({ data }) => data?.title)).toEqual(['Buy oat milk']);
});

it('I4 follows writes of an object whose name the engine shortens', async () => {
  const sync = new SyncProtocolPlugin();
  const { stop, engine } = await startKernel({ objects: [{ ...TASK, name: 'crm__task' }], plugins: [sync] });
  onTestFinished(stop);
  await engine.insert('crm__task', { id: 't1', title: 'Buy milk' }, system);
  const { serverChanges } = await sync.handler.handlePull({ clientId: 'tablet', lastCheckpoint: null });
  expect(serverChanges).toMatchObject([{ objectName: 'crm__task', recordId: 't1', data: { title: 'Buy milk' } }]);
});

it('I11 tells of a commit, and not of one at its place that was rolled back before', async () => {
  const { engine, sync } = await start();
  await sync.enrolled();
  const heads: number[] = [];
  sync.handler.store.onCommit((head) => heads.push(head));
  const insert = (...ids: readonly string[]) =>
    engine.transaction(async () => {
      for (const id of ids) await engine.insert('task', { id, title: 'x' }, system);
      if (ids.includes('wrong')) throw new Error('changed my mind');
    });
  await expect(insert('wrong', 'also')).rejects.toThrow('changed my mind');
  for (const head of [1, 2]) {
    await insert(`task-${head}`);
    await expect.poll(() => heads).toContain(head);
  }
  expect(heads).toEqual([1, 2]);
});
