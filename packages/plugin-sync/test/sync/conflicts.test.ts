/** Conflicts: decided by whoever knows how, never silent, never in the way of anything else. */
import type { SyncConflict } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import { CALLBACK_WAIT_MS } from '../../src/conflicts/decide-conflicts.js';
import { device } from '../fixtures/device.js';
import { appliesWith, change, conflicts, type Step } from '../fixtures/scripted-server.js';
import { serverRecord, twoDevices } from '../fixtures/two-devices.js';

test('an informed server decides in one round trip, and what lost is reported', async () => {
  const { a, b, platform } = await twoDevices({ strategy: 'last-write-wins' });
  const { id } = await a.tasks.records.update('t1', { title: 'mine', status: 'done' });
  await platform.advance(10);
  await b.platform.advance(5000);
  await b.tasks.records.update('t1', { title: 'theirs' });
  a.tasks.pause();
  await b.tasks.sync();
  await platform.advance(5000);
  a.tasks.resume();
  await a.tasks.sync();
  expect([await a.tasks.settled(id), a.heard.filter((line) => line.startsWith('dropped'))]).toEqual([
    { status: 'applied', version: 3, droppedFields: ['title'] },
    ['dropped: t1.title'],
  ]);
  expect(await a.tasks.records.get('t1')).toMatchObject({ data: { title: 'theirs', status: 'done', due: 'then' } });
});

test('the client’s own strategy decides where the server knows none, and the record converges', async () => {
  const { a, b, server } = await twoDevices({}, { config: { strategy: 'crdt' } });
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

test('I1 a callback that never answers does not keep a client from closing, and the conflict is met again', async () => {
  const asked: unknown[] = [];
  const onConflict = ({ recordId }: SyncConflict) => {
    asked.push(recordId);
    return new Promise<never>(() => {});
  };
  const first = device({ otherwise: conflicts(), config: { strategy: 'manual' }, onConflict });
  for (const id of ['t1', 't2']) first.tasks.records.create(id, { title: id });
  const syncing = first.tasks.sync();
  await first.platform.advance(0);
  let isClosed = false;
  const closing = first.plugin.close().then(() => {
    isClosed = true;
  });
  await first.platform.advance(0);
  expect([isClosed, asked, first.heard]).toEqual([true, ['t1'], ['start']]);
  await Promise.all([closing, syncing]);

  const second = device({ transport: first.server, storage: first.storage, config: { strategy: 'manual' } });
  await second.tasks.sync();
  expect(second.tasks.conflicts.list().map(({ conflict }) => conflict.recordId)).toEqual(['t1', 't2']);
});

test('the callback’s merge is written within the same sync', async () => {
  const onConflict = async ({ serverRecord: theirs, clientMutation }: SyncConflict) => ({
    ...theirs,
    title: `${theirs?.title} and ${clientMutation.data?.title}`,
  });
  const { a, b, server } = await twoDevices({}, { config: { strategy: 'manual' }, onConflict });
  await b.tasks.records.update('t1', { title: 'theirs' });
  await b.tasks.sync();
  await a.tasks.records.update('t1', { title: 'mine' });
  await a.tasks.sync();
  expect([await serverRecord(server), a.tasks.status.pending]).toEqual([
    { title: 'theirs and mine', status: 'open', due: 'then' },
    0,
  ]);
});

test('trace 5 parks what nobody decides; other records and other fields go through', async () => {
  const { a, b, server } = await twoDevices({}, { config: { strategy: 'manual' } });
  await b.tasks.records.update('t1', { title: 'theirs' });
  await b.tasks.sync();
  const { id } = await a.tasks.records.update('t1', { title: 'mine' });
  await a.tasks.records.update('t1', { status: 'done' });
  a.tasks.records.create('t2', { title: 'other' });
  await a.tasks.sync();
  expect(await a.tasks.settled(id)).toMatchObject({ status: 'conflict', id });
  expect([a.tasks.conflicts.list().map((parked) => parked.id), a.tasks.status]).toEqual([
    [id],
    expect.objectContaining({ pending: 0, conflicts: 1, attention: true, state: 'idle' }),
  ]);
  expect([await serverRecord(server), await a.seen()]).toEqual([
    { title: 'theirs', status: 'done', due: 'then' },
    { t1: 'theirs', t2: 'other' },
  ]);
});

test('a parked conflict survives the process and is decided in the next', async () => {
  const { a, b, server, platform } = await twoDevices({}, { config: { strategy: 'manual' } });
  await b.tasks.records.update('t1', { title: 'theirs' });
  await b.tasks.sync();
  const { id } = await a.tasks.records.update('t1', { title: 'mine' });
  await a.tasks.sync();
  a.tasks.pause();

  const next = device({
    transport: server.connect().transport,
    storage: a.storage,
    clientId: 'a',
    platform,
    config: { strategy: 'manual' },
  });
  await next.plugin.client.open();
  await next.tasks.conflicts.resolve(id, 'mine');
  await next.tasks.sync();
  expect([await serverRecord(server), next.tasks.conflicts.list(), next.tasks.status.attention]).toEqual([
    { title: 'mine', status: 'open', due: 'then' },
    [],
    false,
  ]);
  await expect(next.tasks.conflicts.resolve(id, 'theirs')).rejects.toMatchObject({ code: 'UNKNOWN_ID' });
});

test('a conflict is decided once, however often the button is pressed', async () => {
  const { a, b } = await twoDevices({}, { config: { strategy: 'manual' } });
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

test('a decision that is none leaves the conflict waiting, and writes nothing', async () => {
  const { a, b } = await twoDevices({}, { config: { strategy: 'manual' } });
  await b.tasks.records.update('t1', { title: 'theirs' });
  await b.tasks.sync();
  const { id } = await a.tasks.records.update('t1', { title: 'mine' });
  await a.tasks.sync();
  for (const choice of ['ours', ['mine'], undefined, null]) {
    // The cast hands in what JavaScript callers hand in.
    const decided = a.tasks.conflicts.resolve(id, choice as never);
    await expect(decided).rejects.toMatchObject({
      code: 'INVALID_MUTATION',
      message: expect.stringMatching(/neither 'mine' nor 'theirs'/),
    });
  }
  expect([a.tasks.conflicts.size, a.tasks.status.pending]).toEqual([1, 0]);
});

test('theirs lets the server’s record stand', async () => {
  const { a, b, server } = await twoDevices({}, { config: { strategy: 'manual' } });
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

test('a resolution leaves out what the user has changed again meanwhile', async () => {
  const { a, b, server } = await twoDevices({}, { config: { strategy: 'last-write-wins' } });
  await b.tasks.records.update('t1', { title: 'theirs', status: 'theirs' });
  await b.tasks.sync();
  await a.platform.advance(5000);
  await a.tasks.records.update('t1', { title: 'mine', status: 'mine' });
  await a.tasks.records.update('t1', { title: 'mine again' });
  await a.tasks.sync();
  expect([await serverRecord(server), a.tasks.status.pending]).toEqual([
    { title: 'mine again', status: 'mine', due: 'then' },
    0,
  ]);
});

test('I8 parks a conflict whose callback fails, and tells the failure', async () => {
  const onConflict = () => {
    throw new Error('merge failed');
  };
  const { a, b } = await twoDevices({}, { config: { strategy: 'manual' }, onConflict });
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
  const { a, b } = await twoDevices({}, { config: { strategy: 'manual' }, onConflict });
  await b.tasks.records.update('t1', { title: 'theirs' });
  await b.tasks.sync();
  await a.tasks.records.update('t1', { title: 'mine' });
  await a.tasks.sync();
  expect([a.tasks.conflicts.size, a.heard[1]]).toEqual([
    1,
    'error: The mutation was not recorded: data.due is a Date, which JSON cannot keep unchanged.',
  ]);
});

test('an open dialog keeps nothing else waiting, and its answer counts when it comes', async () => {
  let choose = (_: Record<string, string>) => {};
  const onConflict = () =>
    new Promise<Record<string, string>>((resolve) => {
      choose = resolve;
    });
  const { a, b, server, platform } = await twoDevices({}, { config: { strategy: 'manual' }, onConflict });
  await b.tasks.records.update('t1', { title: 'theirs' });
  await b.tasks.sync();
  await a.tasks.records.update('t1', { title: 'mine' });
  a.tasks.records.create('t2', { title: 'other' });
  const synced = a.tasks.sync();
  await platform.advance(CALLBACK_WAIT_MS);
  await synced;
  expect([a.tasks.conflicts.size, a.tasks.status.pending]).toEqual([1, 0]);

  choose({ title: 'chosen at last' });
  await platform.advance(1000);
  expect([a.tasks.conflicts.size, (await serverRecord(server))?.title]).toEqual([0, 'chosen at last']);
});

test('takes the answer of one dialog that comes before the answer of another is given up', async () => {
  const choices = new Map<unknown, (record: Record<string, string>) => void>();
  const onConflict = ({ recordId }: { readonly recordId: string | number }) =>
    new Promise<Record<string, string>>((resolve) => choices.set(recordId, resolve));
  const { a, b, platform } = await twoDevices({}, { config: { strategy: 'manual' }, onConflict });
  const ids = ['t1', 't2', 't3'];
  for (const id of ids) b.tasks.records.create(id, { title: 'theirs' });
  await b.tasks.sync();
  for (const id of ids) a.tasks.records.create(id, { title: 'mine' });
  const synced = a.tasks.sync();
  await platform.advance(CALLBACK_WAIT_MS);
  choices.get('t1')?.({ title: 'chosen early' });
  // The others are given up at once: a hundred dialogs keep a sync waiting no longer than one.
  await platform.advance(0);
  await platform.advance(0);
  await synced;
  await platform.advance(1000);
  expect([a.tasks.conflicts.list().map(({ conflict }) => conflict.recordId), await a.seen()]).toEqual([
    ['t2', 't3'],
    { t1: 'chosen early', t2: 'theirs', t3: 'theirs' },
  ]);
});

test('five automatic rounds on one record, then it is the user’s', async () => {
  const writtenAgain: Step = (request, server, options) => {
    const sequence = server.requests.length;
    const serverStamps = { title: { time: 1, logId: 'theirs', sequence } };
    const clientStamp = { time: 2, logId: 'mine', sequence };
    const met = conflicts({ kind: 'update-update', serverVersion: 10 + sequence, clientStamp, serverStamps });
    return met(request, server, options);
  };
  const { tasks, edit, server, heard } = device({ otherwise: writtenAgain });
  edit();
  await tasks.sync();
  expect([
    server.requests.map(({ mutations }) => mutations.map(({ baseVersion, timestamp }) => [baseVersion, timestamp])),
    tasks.conflicts.size,
    heard.filter((line) => line === 'conflict: t1').length,
  ]).toEqual([[1, 11, 12, 13, 14, 15].map((base) => [[base, '2026-01-01T00:00:00.000Z']]), 1, 6]);
});

test('shows the server’s record once a conflict is parked, also before the feed tells it', async () => {
  const { tasks } = device({
    script: [
      appliesWith({ serverChanges: [change('t1', 4, { title: 'old' })] }),
      conflicts({ serverRecord: { title: 'theirs' }, serverVersion: 6, strategy: 'manual' }),
    ],
  });
  await tasks.sync();
  await tasks.records.update('t1', { title: 'mine' });
  await tasks.sync();
  expect(await tasks.records.get('t1')).toMatchObject({ data: { title: 'theirs' }, version: 6, isPending: false });
});

test('hears of an engine’s own conflicts only', async () => {
  const { a, b } = await twoDevices({}, { config: { strategy: 'manual' } });
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

test.each(['update', 'delete'] as const)(
  'I8 asks whose %s meets a later write of a field they cannot read',
  async (operation) => {
    const authorize = { read: () => ({ without: ['salary'] }) };
    const { a, server, platform } = await twoDevices({ authorize }, { config: { strategy: 'last-write-wins' } });
    if (operation === 'delete') await a.tasks.records.delete('t1');
    else await a.tasks.records.update('t1', { salary: 'mine' });
    await platform.advance(50);
    const data = { title: 'old', status: 'open', due: 'then', salary: 'secret' };
    await server.handler.recordChange({ objectName: 'task', recordId: 't1', operation: 'update', data });
    await a.tasks.sync();
    const parked = a.tasks.conflicts.list();
    expect([parked.length, JSON.stringify(parked).includes('secret'), await serverRecord(server)]).toEqual([
      1,
      false,
      data,
    ]);
    await a.tasks.conflicts.resolve(parked[0]?.id ?? '', 'mine');
    await a.tasks.sync();
    expect(await serverRecord(server)).toEqual(operation === 'delete' ? null : { ...data, salary: 'mine' });
  },
);
