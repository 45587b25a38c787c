/** Two clients on one storage, as two tabs of a browser or two processes are. */
import { expect, test } from 'vitest';
import { TestPlatform } from '../../src/platform/test-platform.js';
import { FaultStorage } from '../../src/testing/fault-storage.js';
import { type DeviceOptions, device } from '../fixtures/device.js';
import { LastingStorage } from '../fixtures/lasting-storage.js';
import { realServer } from '../fixtures/real-server.js';
import { otherDevice, serverRecord } from '../fixtures/two-devices.js';

/** Two clients of one user on one storage; both have read it. */
async function twoTabs(options: DeviceOptions = {}, serverOptions: Parameters<typeof realServer>[1] = {}) {
  const platform = new TestPlatform();
  const server = realServer(platform, serverOptions);
  const storage = new FaultStorage(new LastingStorage());
  const open = (seed: number) => {
    const connection = server.connect();
    const tab = device({ ...options, transport: connection.transport, storage, platform: new TestPlatform({ seed }) });
    return Object.assign(tab, { connection });
  };
  const [a, b] = [open(2), open(3)];
  await Promise.all([a.plugin.client.open(), b.plugin.client.open()]);
  return { server, storage, a, b, open };
}

function sequences(requests: readonly { readonly mutations: readonly { recordId: unknown; sequence: number }[] }[]) {
  return requests.flatMap(({ mutations }) => mutations.map(({ recordId, sequence }) => `${recordId} is ${sequence}`));
}

test('I1 I2 numbers what two writers record at the same time without a gap in between, and loses none', async () => {
  const { a, b, storage } = await twoTabs();
  for (const id of ['a1', 'a2']) a.tasks.records.create(id, { title: id });
  for (const id of ['b1', 'b2']) b.tasks.records.create(id, { title: id });
  await Promise.all([a.tasks.flush(), b.tasks.flush()]);
  const { entries, meta } = await storage.load();
  expect(entries.map(({ mutation }) => [mutation.recordId, mutation.sequence])).toEqual([
    ['a1', 1],
    ['a2', 2],
    ['b1', 3],
    ['b2', 4],
  ]);
  expect([meta?.nextSequence, meta?.revision, meta?.logId]).toEqual([5, 2, a.plugin.client.log.meta.logId]);
});

test('I2 lets both send the same mutations, and stores each outcome once', async () => {
  const { a, b, server } = await twoTabs();
  a.tasks.records.create('t1', { title: 'one' });
  await a.tasks.flush();
  b.tasks.records.create('t2', { title: 'two' });
  await b.tasks.flush();
  await Promise.all([a.tasks.sync(), b.tasks.sync()]);
  await a.tasks.sync();
  const sent = sequences([...a.connection.requests, ...b.connection.requests]);
  expect(new Set(sent)).toEqual(new Set(['t1 is 1', 't2 is 2']));
  expect(await a.seen()).toEqual({ t1: 'one', t2: 'two' });
  expect((await server.handler.store.page({ after: 0, limit: 9 })).records.map(({ version }) => version)).toEqual([
    1, 1,
  ]);
  expect([a.tasks.status.pending, b.tasks.status.pending]).toEqual([0, 0]);
});

test('I1 sends what was recorded under another clientId, as when an app has lost the one that it kept', async () => {
  const server = realServer(new TestPlatform());
  const storage = new FaultStorage(new LastingStorage());
  const open = (clientId: string, seed: number) =>
    device({ transport: server.connect().transport, storage, clientId, platform: new TestPlatform({ seed }) });
  const before = open('device-1', 1);
  before.tasks.records.create('t1', { title: 'one' });
  await before.tasks.flush();
  const after = open('device-2', 2);
  await after.tasks.records.update('t1', { title: 'two' });
  await after.tasks.sync();
  const { pending, deadLetters } = after.tasks.status;
  expect([pending, deadLetters]).toEqual([0, 0]);
  expect(await serverRecord(server)).toEqual({ title: 'two' });
});

test('I2 makes one mutation of a conflict that both are told of', async () => {
  const { a, b, server } = await twoTabs({ config: { strategy: 'manual' }, onConflict: () => ({ title: 'merged' }) });
  const other = otherDevice(server);
  other.tasks.records.create('t1', { title: 'theirs' });
  await other.tasks.sync();
  a.tasks.records.create('t1', { title: 'mine' });
  await a.tasks.flush();
  await Promise.all([a.tasks.sync(), b.tasks.sync()]);
  await Promise.all([a.tasks.sync(), b.tasks.sync()]);
  const ids = [...a.connection.requests, ...b.connection.requests].flatMap(({ mutations }) =>
    mutations.map(({ id }) => id),
  );
  expect(new Set(ids).size).toBe(2);
  expect(await serverRecord(server)).toEqual({ title: 'merged' });
});

test('lets one of two decide a conflict, and tells the other that it is decided', async () => {
  const { a, b, server } = await twoTabs({ config: { strategy: 'manual' } });
  const other = otherDevice(server);
  other.tasks.records.create('t1', { title: 'theirs' });
  await other.tasks.sync();
  const { id } = a.tasks.records.create('t1', { title: 'mine' });
  await a.tasks.sync();
  await b.tasks.sync();
  const both = await Promise.allSettled([
    a.tasks.conflicts.resolve(id, 'mine'),
    b.tasks.conflicts.resolve(id, 'theirs'),
  ]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect([a.tasks.conflicts.list(), b.tasks.conflicts.list()]).toEqual([[], []]);
  expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'UNKNOWN_ID' } });
});

test('brings no dead letter back that the user has given up while the answer of another tab was under way', async () => {
  const { a, b } = await twoTabs({}, { authorize: { write: ({ mutation }) => mutation.operation !== 'create' } });
  await a.tasks.sync();
  await b.tasks.sync();
  const { id } = a.tasks.records.create('t1', { title: 'given up' });
  await a.tasks.flush();
  const deliver = a.connection.holdNextAnswer();
  const late = a.tasks.sync();
  // What is saved shows each what the other has stored.
  b.tasks.records.create('t2', { title: 'kept' });
  await b.tasks.sync();
  await b.tasks.deadLetters.discard(id);
  a.tasks.records.create('t3', { title: 'kept' });
  await a.tasks.flush();
  deliver();
  await late;
  await a.tasks.sync();
  const kept = a.tasks.deadLetters.list().map(({ mutation }) => mutation.recordId);
  expect(kept).toEqual(['t2', 't3']);
});

test('brings no dead letter back either by an answer in which nothing else is new', async () => {
  const { a, open } = await twoTabs({}, { authorize: { write: () => false } });
  await a.tasks.sync();
  const { id } = a.tasks.records.create('t1', { title: 'given up' });
  await a.tasks.flush();
  const deliver = a.connection.holdNextAnswer();
  const late = a.tasks.sync();
  // Neither answer moves the checkpoint, by which each would know that the other was first.
  const other = open(4);
  await other.tasks.sync();
  await other.tasks.deadLetters.discard(id);
  deliver();
  await late;
  await a.tasks.sync();
  expect([a.tasks.deadLetters.list(), a.tasks.status.pending]).toEqual([[], 0]);
});
