/** Conflicts: decided by whoever knows how, never silent, never in the way of anything else. */
import { expect, test } from 'vitest';
import { device } from '../fixtures/device.js';
import { applies, appliesWith, change, conflicts, type Step } from '../fixtures/scripted-server.js';
import { devicesInConflict, serverRecord, twoDevices } from '../fixtures/two-devices.js';

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

test('trace 5 parks what nobody decides; other records and other fields go through', async () => {
  const { a, server, id } = await devicesInConflict({ config: { strategy: 'manual' } });
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

test('a parked conflict survives the process and is decided in the next', async () => {
  const { a, server, platform, id } = await devicesInConflict({ config: { strategy: 'manual' } });
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
  const { a, id } = await devicesInConflict({ config: { strategy: 'manual' } });
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
  const { a, id } = await devicesInConflict({ config: { strategy: 'manual' } });
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
  const { a, server, id } = await devicesInConflict({ config: { strategy: 'manual' } });
  await a.tasks.sync();
  await a.tasks.conflicts.resolve(id, 'theirs');
  await a.tasks.sync();
  expect([await serverRecord(server), await a.seen(), a.tasks.conflicts.size]).toEqual([
    expect.objectContaining({ title: 'theirs' }),
    { t1: 'theirs' },
    0,
  ]);
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

test('a conflict is settled when what took its place is, whenever that is asked', async () => {
  const { edit, tasks, platform } = device({
    script: [conflicts(), applies],
    config: { strategy: 'manual' },
    onConflict: () => ({ title: 'Merged' }),
  });
  const { id } = edit();
  const early = tasks.settled(id);
  const asked: Promise<unknown>[] = [];
  tasks.subscribeStatus(() => {
    asked.push(tasks.settled(id).then(({ status }) => status));
  });
  await tasks.sync();
  await platform.advance(0);
  expect([(await early).status, ...new Set(await Promise.all(asked))]).toEqual(['applied', 'applied']);
});
