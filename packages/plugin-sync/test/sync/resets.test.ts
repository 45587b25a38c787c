/** A reset walks the feed from its start and loses nothing that was not sent. */
import type { SyncConfig } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import { device } from '../fixtures/device.js';
import { appliesWith, change, refuses } from '../fixtures/scripted-server.js';
import { createTasks, type TwoDevices, twoNewDevices } from '../fixtures/two-devices.js';

/** Lets `b` delete a task, and the server forget that it was there. */
async function deleteAndForget(recordId: string, { b, server, platform }: TwoDevices): Promise<void> {
  await b.tasks.records.delete(recordId);
  await b.tasks.sync();
  const longerThanRetention = 31 * 24 * 60 * 60 * 1000;
  await platform.advance(longerThanRetention);
  await server.handler.prune();
}

test('trace 8 sends the five pending first, then walks anew and drops what is no more', async () => {
  const both = twoNewDevices();
  const { a, b, connection } = both;
  await createTasks(b, ['t1', 't2', 't3']);
  await a.tasks.sync();
  a.tasks.pause();
  await deleteAndForget('t2', both);

  for (let index = 0; index < 5; index++) a.tasks.records.create(`n${index}`, { title: 'new' });
  a.tasks.resume();
  await a.tasks.sync();
  expect([connection.requests.slice(1).map(({ mutations }) => mutations.length), await a.seen()]).toEqual([
    [5],
    { n0: 'new', n1: 'new', n2: 'new', n3: 'new', n4: 'new', t1: 't1', t3: 't3' },
  ]);
  expect(a.plugin.client.log.meta.walk).toBeNull();
});

test('edits made during a walk survive it', async () => {
  const both = twoNewDevices({ strategy: 'last-write-wins', limits: { maxPageRecords: 2 } });
  const { a, b, platform } = both;
  await createTasks(b, ['t1', 't2', 't3', 't4', 't5']);
  await a.tasks.sync();
  a.tasks.pause();
  await deleteAndForget('t5', both);
  let isFirst = true;
  a.tasks.addListener({
    onServerChanges: async () => {
      if (isFirst) await a.tasks.records.update('t3', { title: 'edited meanwhile' });
      isFirst = false;
    },
  });
  a.tasks.resume();
  await a.tasks.sync();
  await platform.advance(1000);
  await b.tasks.sync();
  const expected = { t1: 't1', t2: 't2', t3: 'edited meanwhile', t4: 't4' };
  expect([await a.seen(), await b.seen(), a.tasks.status.pending]).toEqual([expected, expected, 0]);
});

test('a walk that a crash interrupted goes on where it was, and still drops at its end what it did not see', async () => {
  const both = twoNewDevices({ strategy: 'last-write-wins', limits: { maxPageRecords: 2 } });
  const { a, b, server, platform } = both;
  const { storage } = a;
  await createTasks(b, ['t1', 't2', 't3', 't4', 't5']);
  await a.tasks.sync();
  a.tasks.pause();
  await deleteAndForget('t2', both);

  let commits = 0;
  storage.before('commit', ({ expectCheckpoint }) => {
    if (expectCheckpoint !== undefined && ++commits > 1) throw new Error('power cut');
  });
  a.tasks.resume();
  expect(await a.tasks.sync()).toBeNull();
  a.tasks.pause();
  expect((await storage.load()).meta?.walk).toEqual(expect.any(String));

  storage.heal();
  const { transport, requests } = server.connect();
  const next = device({ transport, storage, platform, clientId: 'a' });
  await next.tasks.sync();
  expect([requests[0]?.lastCheckpoint, requests.length, await next.seen()]).toEqual([
    expect.stringMatching(/^2\./),
    1,
    { t1: 't1', t3: 't3', t4: 't4', t5: 't5' },
  ]);
});

for (const reset of ['expired', 'scope'] as const) {
  test(`"${reset}" walks the feed anew, drops what it did not see, and keeps unsent work`, async () => {
    const { edit, tasks, server, platform } = device({
      script: [
        appliesWith({ serverChanges: [change('gone'), change('kept')], checkpoint: 'old-9' }),
        appliesWith({ reset, serverChanges: [change('new')], checkpoint: 'walk-1', hasMore: true }),
        appliesWith({ serverChanges: [change('kept')], checkpoint: 'walk-2' }),
      ],
    });
    await tasks.sync();
    for (let index = 0; index < 5; index++) edit(`mine-${index}`);
    const middle = tasks.sync();
    edit('meanwhile');
    await middle;
    await platform.advance(60_000);
    expect({
      theirs: await recordIds(tasks, ['gone', 'kept', 'new']),
      applied: server.applied.length,
      pending: tasks.status.pending,
      asked: server.requests.slice(0, 3).map(({ lastCheckpoint }) => lastCheckpoint),
    }).toEqual({ theirs: ['kept', 'new'], applied: 6, pending: 0, asked: [null, 'old-9', 'walk-1'] });
  });
}

/** Which of these records the user sees, in their order. */
async function recordIds(tasks: ReturnType<typeof device>['tasks'], asked: readonly string[]) {
  const records = await tasks.records.list();
  return asked.filter((recordId) => records.some((record) => record.recordId === recordId));
}

test('walks anew when the rights of the user change, and forgets what they may no longer see', async () => {
  let scope = 'all';
  const authorize = {
    scope: () => scope,
    read: ({ recordId }: { recordId: string | number }) =>
      scope === 'all' || recordId === 't1' ? ('allow' as const) : ('hide' as const),
  };
  const { a, b } = twoNewDevices({ strategy: 'last-write-wins', authorize });
  await createTasks(b, ['t1', 't2']);
  await a.tasks.sync();
  scope = 'some';
  await a.tasks.sync();
  expect(await a.seen()).toEqual({ t1: 't1' });
});

test('starts over where the server does not know the checkpoint', async () => {
  const { b, connection } = twoNewDevices();
  await createTasks(b, ['t1']);
  const before = device({ otherwise: appliesWith({ checkpoint: 'of another server' }), clientId: 'a' });
  await before.tasks.sync();
  before.tasks.pause();
  const next = device({ transport: connection.transport, storage: before.storage, clientId: 'a' });
  await next.tasks.sync();
  expect([connection.requests.map(({ lastCheckpoint }) => lastCheckpoint), await next.seen()]).toEqual([
    ['of another server', null],
    { t1: 't1' },
  ]);
});

test('gives up a checkpoint that the server cannot read, and drops in the walk what the server no longer has', async () => {
  const { tasks, server } = device({
    script: [
      appliesWith({ serverChanges: [change('old'), change('kept')], checkpoint: 'garbled' }),
      refuses(400, 'INVALID_CHECKPOINT'),
      appliesWith({ serverChanges: [change('kept')], checkpoint: 'good' }),
    ],
  });
  await tasks.sync();
  await tasks.sync();
  const records = await tasks.records.list();
  expect({
    asked: server.requests.map(({ lastCheckpoint }) => lastCheckpoint),
    records: records.map(({ recordId }) => recordId),
  }).toEqual({ asked: [null, 'garbled', null], records: ['kept'] });
});

test('a further reset during a walk begins the walk again', async () => {
  const { tasks, seen, server } = device({
    script: [
      () => ({ serverChanges: [change('t1'), change('t2')] }),
      () => ({ reset: 'expired', serverChanges: [change('t1')], hasMore: true }),
      () => ({ reset: 'scope', serverChanges: [change('t2')], hasMore: true }),
      () => ({ serverChanges: [change('t3')] }),
    ],
  });
  await tasks.sync();
  await tasks.sync();
  expect([server.requests.length, await seen()]).toEqual([4, { t2: 't2', t3: 't3' }]);
});

test('I6 brings what was left out of an object once it is pulled', async () => {
  const { a, server, connection, platform } = twoNewDevices();
  const { storage } = a;
  const session = async (note: SyncConfig) => {
    const client = device({ transport: connection.transport, platform, storage, clientId: 'a', objects: { note } });
    await client.plugin.syncAll();
    const notes = await client.plugin.getEngine('note').records.list();
    return notes.map(({ recordId }) => recordId).sort();
  };
  const write = (recordId: string) =>
    server.handler.recordChange({ objectName: 'note', recordId, operation: 'create', data: { title: 'new' } });
  await write('n1');
  const pushed = await session({ enabled: true, direction: 'push-only' });
  const pulled = await session({ enabled: true });
  await write('n2');
  const disabled = await session({ enabled: false });
  const enabled = await session({ enabled: true });
  expect({ pushed, pulled, disabled, enabled }).toEqual({
    pushed: [],
    pulled: ['n1'],
    disabled: [],
    enabled: ['n1', 'n2'],
  });
});
