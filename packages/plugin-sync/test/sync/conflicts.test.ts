/** Conflicts: decided by whoever knows how, never silent, never in the way of anything else. */
import type { SyncConfig, SyncConflict } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import { CALLBACK_WAIT_MS } from '../../src/decide-conflicts.js';
import { TestPlatform } from '../../src/platform/test-platform.js';
import { type DeviceOptions, device } from './device.js';
import { type RealServer, realServer } from './real-server.js';
import { answer, scriptedServer } from './scripted-server.js';

type ServerOptions = Parameters<typeof realServer>[1];

/** Two devices that both have task `t1` at version 1. */
async function world(serverOptions: ServerOptions = {}, clientOptions: Partial<DeviceOptions> = {}) {
  const platform = new TestPlatform();
  const server = realServer(platform, serverOptions);
  const a = device({ ...clientOptions, transport: server.connect().transport, platform, clientId: 'a' });
  const otherPlatform = new TestPlatform({ seed: 2 });
  const b = device({ transport: server.connect().transport, platform: otherPlatform, clientId: 'b' });
  b.tasks.records.create('t1', { title: 'old', status: 'open', due: 'then' });
  await b.tasks.sync();
  await a.tasks.sync();
  a.heard.length = 0;
  return { server, platform, a, b };
}

async function serverRecord(server: RealServer) {
  const page = await server.handler.store.page({ after: 0, limit: 100 });
  return page.records.find(({ recordId }) => recordId === 't1')?.data ?? null;
}

function config(strategy: NonNullable<SyncConfig['strategy']>): Partial<DeviceOptions> {
  return { defaultConfig: { enabled: true, debounce_ms: 100, strategy } };
}

test('an informed server decides in one round trip, and what lost is reported', async () => {
  const { a, b, platform } = await world({ strategy: 'last-write-wins' });
  const { id } = await a.tasks.records.update('t1', { title: 'mine', status: 'done' });
  await platform.advance(10);
  await b.platform.advance(5000);
  await b.tasks.records.update('t1', { title: 'theirs' });
  a.plugin.client.pause();
  await b.tasks.sync();
  await platform.advance(5000);
  a.plugin.client.resume();
  await a.tasks.sync();
  expect([await a.tasks.settled(id), a.heard.filter((line) => line.startsWith('dropped'))]).toEqual([
    { status: 'applied', version: 3, droppedFields: ['title'] },
    ['dropped: t1.title'],
  ]);
  expect(await a.tasks.records.get('t1')).toMatchObject({ data: { title: 'theirs', status: 'done', due: 'then' } });
});

test('the client’s own strategy decides where the server knows none, and the record converges', async () => {
  const { a, b, server } = await world({}, config('crdt'));
  await b.tasks.records.update('t1', { title: 'theirs' });
  await b.tasks.sync();
  const { id } = await a.tasks.records.update('t1', { title: 'mine', status: 'done' });
  const outcome = a.tasks.settled(id);
  await a.tasks.sync();
  expect([await outcome, a.heard]).toEqual([
    { status: 'applied', version: 3, droppedFields: ['title'] },
    ['start', 'changes: t1', 'conflict: t1', 'dropped: t1.title', 'complete'],
  ]);
  expect([await serverRecord(server), (await a.tasks.records.get('t1'))?.data]).toEqual([
    { title: 'theirs', status: 'done', due: 'then' },
    { title: 'theirs', status: 'done', due: 'then' },
  ]);
});

test('the callback’s merge is written within the same sync', async () => {
  const onConflict = async ({ serverRecord: theirs, clientMutation }: SyncConflict) => ({
    ...theirs,
    title: `${theirs?.title} and ${clientMutation.data?.title}`,
  });
  const { a, b, server } = await world({}, { ...config('manual'), onConflict });
  await b.tasks.records.update('t1', { title: 'theirs' });
  await b.tasks.sync();
  await a.tasks.records.update('t1', { title: 'mine' });
  await a.tasks.sync();
  expect([await serverRecord(server), a.plugin.client.status.pending]).toEqual([
    { title: 'theirs and mine', status: 'open', due: 'then' },
    0,
  ]);
});

test('trace 5 parks what nobody decides; other records and other fields go through', async () => {
  const { a, b, server } = await world({}, config('manual'));
  await b.tasks.records.update('t1', { title: 'theirs' });
  await b.tasks.sync();
  const { id } = await a.tasks.records.update('t1', { title: 'mine' });
  await a.tasks.records.update('t1', { status: 'done' });
  a.tasks.records.create('t2', { title: 'other' });
  await a.tasks.sync();
  expect(await a.tasks.settled(id)).toMatchObject({ status: 'conflict', id });
  expect([a.tasks.conflicts.list().map((parked) => parked.id), a.plugin.client.status]).toEqual([
    [id],
    expect.objectContaining({ pending: 0, conflicts: 1, attention: true, state: 'idle' }),
  ]);
  expect([await serverRecord(server), await a.seen()]).toEqual([
    { title: 'theirs', status: 'done', due: 'then' },
    { t1: 'theirs', t2: 'other' },
  ]);
});

test('a parked conflict survives the process and is decided in the next', async () => {
  const { a, b, server, platform } = await world({}, config('manual'));
  await b.tasks.records.update('t1', { title: 'theirs' });
  await b.tasks.sync();
  const { id } = await a.tasks.records.update('t1', { title: 'mine' });
  await a.tasks.sync();
  a.plugin.client.pause();

  const options = { ...config('manual'), transport: server.connect().transport, storage: a.storage, clientId: 'a' };
  const next = device({ ...options, platform });
  await next.plugin.client.open();
  await next.tasks.conflicts.resolve(id, 'mine');
  await next.tasks.sync();
  expect([await serverRecord(server), next.tasks.conflicts.list(), next.plugin.client.status.attention]).toEqual([
    { title: 'mine', status: 'open', due: 'then' },
    [],
    false,
  ]);
  await expect(next.tasks.conflicts.resolve(id, 'theirs')).rejects.toMatchObject({ code: 'UNKNOWN_ID' });
});

test('a conflict is decided once, however often the button is pressed', async () => {
  const { a, b } = await world({}, config('manual'));
  await b.tasks.records.update('t1', { title: 'theirs' });
  await b.tasks.sync();
  const { id } = await a.tasks.records.update('t1', { title: 'mine' });
  await a.tasks.sync();
  const decided = await Promise.allSettled([
    a.tasks.conflicts.resolve(id, 'mine'),
    a.tasks.conflicts.resolve(id, 'mine'),
  ]);
  expect([decided.map(({ status }) => status), a.plugin.client.log.pending.size]).toEqual([
    ['fulfilled', 'rejected'],
    1,
  ]);
});

test('theirs lets the server’s record stand', async () => {
  const { a, b, server } = await world({}, config('manual'));
  await b.tasks.records.update('t1', { title: 'theirs' });
  await b.tasks.sync();
  const { id } = await a.tasks.records.update('t1', { title: 'mine' });
  await a.tasks.sync();
  await a.tasks.conflicts.resolve(id, 'theirs');
  await a.tasks.sync();
  expect([await serverRecord(server), await a.seen(), a.tasks.conflicts.size]).toEqual([
    expect.objectContaining({ title: 'theirs' }),
    { t1: 'theirs' },
    0,
  ]);
});

test('trace 6 re-creates a record from the whole local copy when the edit is later than the delete', async () => {
  for (const serverOptions of [{}, { strategy: 'last-write-wins' }] satisfies ServerOptions[]) {
    const { a, b, server, platform } = await world(serverOptions);
    await b.tasks.records.delete('t1');
    await b.tasks.sync();
    await platform.advance(5000);
    const { id } = await a.tasks.records.update('t1', { title: 'mine' });
    const outcome = a.tasks.settled(id);
    await a.tasks.sync();
    expect([await outcome, await serverRecord(server), (await a.tasks.records.get('t1'))?.data]).toEqual([
      { status: 'applied', version: 3, droppedFields: [] },
      { title: 'mine', status: 'open', due: 'then' },
      { title: 'mine', status: 'open', due: 'then' },
    ]);
    await b.tasks.sync();
    expect(await b.seen()).toEqual({ t1: 'mine' });
  }
});

test('re-creates the whole record once, when several edits of it are later than the delete', async () => {
  const { a, b, server, platform } = await world();
  await b.tasks.records.delete('t1');
  await b.tasks.sync();
  await platform.advance(5000);
  const made = [
    await a.tasks.records.update('t1', { title: 'mine' }),
    await a.tasks.records.update('t1', { status: 'done' }),
  ];
  const outcomes = made.map(({ id }) => a.tasks.settled(id));
  await a.tasks.sync();
  expect([await Promise.all(outcomes), await serverRecord(server)]).toEqual([
    [3, 3].map((version) => ({ status: 'applied', version, droppedFields: [] })),
    { title: 'mine', status: 'done', due: 'then' },
  ]);
});

test('re-creates the whole record also when its delete arrived before the edit was sent', async () => {
  const { a, b, server, platform } = await world();
  await b.tasks.records.delete('t1');
  await b.tasks.sync();
  await platform.advance(5000);
  // 60 others stand before the edit, so it goes with the second batch, after the delete was pulled.
  for (let index = 0; index < 60; index++) a.tasks.records.create(`x${index}`, { title: 'x' });
  await a.tasks.records.update('t1', { title: 'mine' });
  const seen: unknown[] = [];
  a.tasks.records.subscribe('t1', (record) => void seen.push(record?.data.title));
  await a.tasks.sync();
  await platform.advance(0);
  expect([await serverRecord(server), new Set(seen)]).toEqual([
    { title: 'mine', status: 'open', due: 'then' },
    new Set(['mine']),
  ]);
});

test('a parked edit of a deleted record can still be re-created as a whole', async () => {
  const { a, b, server } = await world({}, config('manual'));
  await b.tasks.records.delete('t1');
  await b.tasks.sync();
  const { id } = await a.tasks.records.update('t1', { title: 'mine' });
  await a.tasks.sync();
  expect(await a.seen()).toEqual({});
  await a.tasks.conflicts.resolve(id, 'mine');
  await a.tasks.sync();
  expect(await serverRecord(server)).toEqual({ title: 'mine', status: 'open', due: 'then' });
});

test('my delete of what they deleted is applied and changes nothing', async () => {
  const { a, b } = await world();
  await b.tasks.records.delete('t1');
  await b.tasks.sync();
  const { id } = await a.tasks.records.delete('t1');
  const outcome = a.tasks.settled(id);
  await a.tasks.sync();
  expect([await outcome, a.heard]).toEqual([
    { status: 'applied', version: 2, droppedFields: [] },
    ['start', 'changes: t1', 'complete'],
  ]);
});

test('trace 7 an edit made to an earlier incarnation is a conflict', async () => {
  const { a, b } = await world({ strategy: 'last-write-wins' });
  await b.tasks.records.delete('t1');
  b.tasks.records.create('t1', { title: 'reborn' });
  await b.tasks.sync();
  const { id } = await a.tasks.records.update('t1', { note: 'mine' });
  await a.tasks.sync();
  expect(await a.tasks.settled(id)).toMatchObject({
    status: 'conflict',
    conflict: { kind: 'stale-incarnation', serverRecord: { title: 'reborn' } },
  });
});

test('a resolution leaves out what the user has changed again meanwhile', async () => {
  const { a, b, server } = await world({}, config('last-write-wins'));
  await b.tasks.records.update('t1', { title: 'theirs', status: 'theirs' });
  await b.tasks.sync();
  await a.platform.advance(5000);
  await a.tasks.records.update('t1', { title: 'mine', status: 'mine' });
  await a.tasks.records.update('t1', { title: 'mine again' });
  await a.tasks.sync();
  expect([await serverRecord(server), a.plugin.client.status.pending]).toEqual([
    { title: 'mine again', status: 'mine', due: 'then' },
    0,
  ]);
});

test('I8 parks a conflict whose callback fails, and tells the failure', async () => {
  const onConflict = () => {
    throw new Error('merge failed');
  };
  const { a, b } = await world({}, { ...config('manual'), onConflict });
  await b.tasks.records.update('t1', { title: 'theirs' });
  await b.tasks.sync();
  await a.tasks.records.update('t1', { title: 'mine' });
  await a.tasks.sync();
  expect([a.tasks.conflicts.size, a.heard]).toEqual([
    1,
    ['start', 'error: merge failed', 'changes: t1', 'conflict: t1', 'complete'],
  ]);
});

test('parks a conflict whose merge cannot be stored', async () => {
  const onConflict = () => ({ due: new Date(0) });
  const { a, b } = await world({}, { ...config('manual'), onConflict });
  await b.tasks.records.update('t1', { title: 'theirs' });
  await b.tasks.sync();
  await a.tasks.records.update('t1', { title: 'mine' });
  await a.tasks.sync();
  expect([a.tasks.conflicts.size, a.heard[1]]).toEqual([
    1,
    'error: The mutation was not recorded: data.due is a Date, not a plain object.',
  ]);
});

test('an open dialog keeps nothing else waiting, and its answer counts when it comes', async () => {
  let choose = (_: Record<string, string>) => {};
  const onConflict = () =>
    new Promise<Record<string, string>>((resolve) => {
      choose = resolve;
    });
  const { a, b, server, platform } = await world({}, { ...config('manual'), onConflict });
  await b.tasks.records.update('t1', { title: 'theirs' });
  await b.tasks.sync();
  await a.tasks.records.update('t1', { title: 'mine' });
  a.tasks.records.create('t2', { title: 'other' });
  const synced = a.tasks.sync();
  await platform.advance(CALLBACK_WAIT_MS);
  await synced;
  expect([a.tasks.conflicts.size, a.plugin.client.status.pending]).toEqual([1, 0]);

  choose({ title: 'chosen at last' });
  await platform.advance(1000);
  expect([a.tasks.conflicts.size, (await serverRecord(server))?.title]).toEqual([0, 'chosen at last']);
});

test('five automatic rounds on one record, then it is the user’s', async () => {
  const platform = new TestPlatform();
  const server = scriptedServer(({ mutations }, call) =>
    answer(
      mutations.map((mutation) => ({
        status: 'conflict',
        mutationId: mutation.id,
        conflict: {
          objectName: 'task',
          recordId: 't1',
          clientMutation: mutation,
          serverRecord: { title: `theirs ${call}` },
          conflictingFields: ['title'],
          kind: 'update-update',
          serverVersion: 10 + call,
          clientStamp: { time: 2, logId: 'mine', sequence: call },
          serverStamps: { title: { time: 1, logId: 'theirs', sequence: call } },
        },
      })),
      { checkpoint: `c${call}` },
    ),
  );
  const { tasks, heard } = device({ transport: server.transport, platform });
  tasks.recordMutation({
    objectName: 'task',
    recordId: 't1',
    operation: 'update',
    data: { title: 'x' },
    baseVersion: 1,
  });
  await tasks.sync();
  expect([
    server.requests.map(({ mutations }) => mutations.map(({ baseVersion, timestamp }) => [baseVersion, timestamp])),
    tasks.conflicts.size,
    heard.filter((line) => line === 'conflict: t1').length,
  ]).toEqual([[1, 11, 12, 13, 14, 15].map((base) => [[base, '2026-01-01T00:00:00.000Z']]), 1, 6]);
});

test('hears of an engine’s own conflicts only', async () => {
  const { a, b } = await world({}, config('manual'));
  const notes = a.plugin.getEngine('note');
  const heard: string[] = [];
  notes.addListener({ onConflict: () => void heard.push('note') });
  a.tasks.addListener({ onConflict: () => void heard.push('task') });
  await b.tasks.records.update('t1', { title: 'theirs' });
  await b.tasks.sync();
  await a.tasks.records.update('t1', { title: 'mine' });
  await a.tasks.sync();
  expect([heard, notes.conflicts.list(), notes.conflicts.size, a.tasks.conflicts.size]).toEqual([['task'], [], 0, 1]);
});
