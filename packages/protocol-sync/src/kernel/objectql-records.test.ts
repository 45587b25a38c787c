import type { MutationLogEntry, SyncPushResponse } from '@objectql/sync-types';
import type { KernelContext } from '@objectql/sync-types/kernel';
import { SqliteWasmDriver } from '@objectstack/driver-sqlite-wasm';
import { type HookHandler, type ObjectQL, ObjectQLPlugin } from '@objectstack/objectql';
import { DriverPlugin } from '@objectstack/runtime';
import { expect, it, onTestFinished, vi } from 'vitest';
import { SyncProtocolPlugin } from '../sync-protocol-plugin.js';
import type { DataEngine } from './data-engine.js';
import { createKernel } from './node.js';
import { ObjectqlRecords, type ObjectqlRecordsOptions } from './objectql-records.js';

// ObjectStack takes seconds to load and to make its tables on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const AS_SYSTEM = { context: { isSystem: true } } as const;

/** ObjectStack with a real database, two objects, and sync over them. */
async function start(options: ObjectqlRecordsOptions = {}) {
  const records: ObjectqlRecords = new ObjectqlRecords(() => kernel.getService<DataEngine>('objectql'), options);
  const metadata = {
    name: 'metadata',
    version: '1.0.0',
    dependencies: ['com.objectstack.engine.objectql'],
    init(context: KernelContext) {
      const { registry } = context.getService<ObjectQL>('objectql');
      const title = { name: 'title', type: 'text', label: 'Title', required: true } as const;
      const status = { name: 'status', type: 'text', label: 'Status', defaultValue: 'new' } as const;
      registry.registerObject({ name: 'task', label: 'Task', fields: { title, status } } as never, 'app');
      registry.registerObject({ name: 'audit', label: 'Audit', fields: { title } } as never, 'app');
    },
  };
  const kernel = createKernel({
    plugins: [
      new DriverPlugin(new SqliteWasmDriver({ filename: ':memory:' })),
      new ObjectQLPlugin(),
      metadata,
      new SyncProtocolPlugin({ resolver: records, authenticate: () => ({ id: 'anna' }) }),
    ],
    config: { gracefulShutdown: false, logger: { level: 'silent' } },
  });
  onTestFinished(() => kernel.shutdown());
  await kernel.start();
  const { handler } = kernel.syncProtocol;
  const engine = kernel.getService<ObjectQL>('objectql');
  const failures: unknown[] = [];
  const following = records.follow(handler, { objects: ['task', 'audit'], onError: (error) => failures.push(error) });

  let sequence = 0;
  const push = async (mutation: Partial<MutationLogEntry>): Promise<SyncPushResponse> => {
    sequence += 1;
    const complete = {
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
    const request = { clientId: 'phone', logId: 'log', protocol: 2, lastCheckpoint: null, mutations: [complete] };
    return handler.handlePush(request, records, { principal: { id: 'anna' } });
  };
  /** What a new device would see, without the fields ObjectStack adds. */
  const feed = async () => {
    await following.settled();
    const { serverChanges } = await handler.handlePull({ clientId: 'tablet', lastCheckpoint: null });
    return serverChanges.map(({ objectName, recordId, operation, data, serverVersion }) => [
      `${objectName} ${recordId}`,
      operation === 'delete' ? 'deleted' : [data?.title, data?.status],
      serverVersion,
    ]);
  };
  const stored = (id: string) => engine.findOne('task', { where: { id } }, AS_SYSTEM);
  return { engine, push, feed, stored, failures, following, handler };
}

it('writes what clients push through the engine, and answers what it stored', async () => {
  const { push, stored } = await start();
  const created = await push({ data: { title: 'Buy milk' } });
  const updated = await push({ operation: 'update', data: { status: 'done' }, baseVersion: 1 });
  expect(created.results).toMatchObject([
    { status: 'applied', serverVersion: 1, record: { title: 'Buy milk', status: 'new' } },
  ]);
  expect(updated.results).toMatchObject([{ status: 'applied', serverVersion: 2 }]);
  expect(await stored('t1')).toMatchObject({ id: 't1', title: 'Buy milk', status: 'done' });
  await push({ operation: 'delete', baseVersion: 2 });
  expect(await stored('t1')).toBeNull();
});

it("does not take sync's own writes for somebody else's", async () => {
  const { push, feed } = await start();
  await push({ data: { title: 'Buy milk' } });
  await push({ operation: 'update', data: { status: 'done' }, baseVersion: 1 });
  expect(await feed()).toEqual([['task t1', ['Buy milk', 'done'], 2]]);
});

it('brings writes that come past sync to every device: single, many, and deletes', async () => {
  const { engine, feed } = await start();
  await engine.insert('task', { id: 'a', title: 'A' }, AS_SYSTEM);
  await engine.insert(
    'task',
    [
      { id: 'b', title: 'B' },
      { id: 'c', title: 'C' },
    ],
    AS_SYSTEM,
  );
  await engine.update('task', { id: 'a', status: 'done' }, AS_SYSTEM);
  await engine.update('task', { status: 'late' }, { where: { title: 'B' }, multi: true, ...AS_SYSTEM });
  await engine.delete('task', { where: { id: 'c' }, ...AS_SYSTEM });
  expect(await feed()).toEqual([
    ['task a', ['A', 'done'], 2],
    ['task b', ['B', 'late'], 2],
    ['task c', 'deleted', 2],
  ]);
});

it('takes a transaction when it commits, and nothing of one that is rolled back', async () => {
  const { engine, feed } = await start();
  await engine.transaction(async () => {
    await engine.insert('task', { id: 'a', title: 'A' }, AS_SYSTEM);
    await engine.update('task', { id: 'a', status: 'done' }, AS_SYSTEM);
  });
  const failing = engine.transaction(async () => {
    await engine.insert('task', { id: 'b', title: 'B' }, AS_SYSTEM);
    await engine.update('task', { id: 'a', status: 'lost' }, AS_SYSTEM);
    throw new Error('changed my mind');
  });
  await expect(failing).rejects.toThrow('changed my mind');
  expect(await feed()).toEqual([['task a', ['A', 'done'], 1]]);
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
    async () => void (await engine.insert('audit', { id: 'log-1', title: 'created' }, AS_SYSTEM)),
    { object: 'task' },
  );
  const { results } = await push({ data: { title: 'Buy milk' } });
  expect(results).toMatchObject([{ status: 'applied', record: { title: 'Buy milk!' } }]);
  expect(await feed()).toEqual([
    ['audit log-1', ['created', undefined], 1],
    ['task t1', ['Buy milk!', 'new'], 1],
  ]);
});

it('meets an offline edit of what was changed past sync as a conflict', async () => {
  const { engine, push, feed } = await start();
  await push({ data: { title: 'Buy milk' } });
  await engine.update('task', { id: 't1', title: 'Buy bread' }, AS_SYSTEM);
  const { results } = await push({ operation: 'update', data: { title: 'Buy cream' }, baseVersion: 1 });
  expect(results).toMatchObject([{ status: 'conflict', conflict: { conflictingFields: ['title'], serverVersion: 2 } }]);
  expect(await feed()).toEqual([['task t1', ['Buy bread', 'new'], 2]]);
});

it('refuses for good what the engine refuses for good', async () => {
  const { push } = await start();
  const results = [
    await push({ recordId: 'x', data: {} }),
    await push({ recordId: 'y', data: { title: 'Y', colour: 'red' } }),
    await push({ recordId: 7, data: { title: 'Z' } }),
  ].flatMap((answer) => answer.results);
  expect(results).toMatchObject([
    { status: 'rejected', code: 'VALIDATION', reason: 'Title is required' },
    { status: 'rejected', code: 'VALIDATION', reason: "Unknown field 'colour' on object 'task'" },
    { status: 'rejected', code: 'INVALID', reason: 'Record ids are strings here.' },
  ]);
});

it('makes a write again without harm', async () => {
  const { stored, ...rest } = await start();
  const records = new ObjectqlRecords(() => rest.engine as unknown as DataEngine);
  const context = { principal: null, transaction: undefined, signal: new AbortController().signal };
  const mutation = (operation: 'create' | 'delete') =>
    ({ objectName: 'task', recordId: 'r', operation, data: { title: 'R' } }) as unknown as MutationLogEntry;
  await records.applyMutation(mutation('create'), 1, context);
  await records.applyMutation(mutation('create'), 1, context);
  expect(await stored('r')).toMatchObject({ title: 'R' });
  await records.applyMutation(mutation('delete'), 2, context);
  await records.applyMutation(mutation('delete'), 2, context);
  expect(await stored('r')).toBeNull();
});

it('writes as whom the application says', async () => {
  const { engine, push } = await start({
    contextOf: (principal) => ({ userId: principal?.id ?? 'nobody', isSystem: true }),
  });
  const writers: unknown[] = [];
  engine.registerHook('beforeInsert', (context) => void writers.push(context.session?.userId), { object: 'task' });
  await push({ data: { title: 'Buy milk' } });
  expect(writers).toEqual(['anna']);
});

it('says which write could not be taken into the feed, and stops when told', async () => {
  const { engine, feed, failures, following, handler } = await start();
  const failure = new Error('the store is down');
  const recordChange = handler.recordChange.bind(handler);
  handler.recordChange = () => Promise.reject(failure);
  await engine.transaction(() => engine.insert('task', { id: 'a', title: 'A' }, AS_SYSTEM));
  await following.settled();
  await expect(engine.insert('task', { id: 'b', title: 'B' }, AS_SYSTEM)).rejects.toThrow('the store is down');
  handler.recordChange = recordChange;
  await engine.update('task', { id: 'a', status: 'done' }, AS_SYSTEM);
  following.stop();
  await engine.insert('task', { id: 'c', title: 'C' }, AS_SYSTEM);
  expect([failures, await feed()]).toEqual([[failure], [['task a', ['A', 'done'], 1]]]);
});
