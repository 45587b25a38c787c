/** Every reset walks the feed from its start and loses nothing that was not sent: against the real handler. */
import type { SyncConfig } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import { TestPlatform } from '../../src/platform/test-platform.js';
import { FaultStorage } from '../../src/testing/fault-storage.js';
import { type Device, device } from '../fixtures/device.js';
import { LastingStorage } from '../fixtures/lasting-storage.js';
import { makeHandler, realServer } from '../fixtures/real-server.js';
import { applies, appliesWith, change, type Step } from '../fixtures/scripted-server.js';

type ServerOptions = Parameters<typeof realServer>[1];
const DAY_MS = 24 * 60 * 60 * 1000;

function world(options: ServerOptions = {}) {
  const platform = new TestPlatform();
  const server = realServer(platform, { strategy: 'last-write-wins', ...options });
  const connection = server.connect();
  const storage = new FaultStorage(new LastingStorage());
  const a = device({ transport: connection.transport, platform, storage, clientId: 'a' });
  const b = device({ transport: server.connect().transport, platform: new TestPlatform({ seed: 2 }), clientId: 'b' });
  return { platform, server, connection, storage, a, b };
}

async function fill({ tasks }: Device, ids: readonly string[]): Promise<void> {
  for (const id of ids) tasks.records.create(id, { title: id });
  await tasks.sync();
}

test('trace 8 sends the five pending first, then walks anew and drops what is no more', async () => {
  const { a, b, server, platform, connection } = world();
  await fill(b, ['t1', 't2', 't3']);
  await a.tasks.sync();
  a.tasks.pause();
  await b.tasks.records.delete('t2');
  await b.tasks.sync();
  await platform.advance(31 * DAY_MS);
  await server.handler.prune();

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
  const { a, b, server, platform } = world({ limits: { maxPageRecords: 2 } });
  await fill(b, ['t1', 't2', 't3', 't4', 't5']);
  await a.tasks.sync();
  a.tasks.pause();
  await b.tasks.records.delete('t5');
  await b.tasks.sync();
  await platform.advance(31 * DAY_MS);
  await server.handler.prune();
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
  const { a, b, server, platform, storage } = world({ limits: { maxPageRecords: 2 } });
  await fill(b, ['t1', 't2', 't3', 't4', 't5']);
  await a.tasks.sync();
  a.tasks.pause();
  await b.tasks.records.delete('t2');
  await b.tasks.sync();
  await platform.advance(31 * DAY_MS);
  await server.handler.prune();

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

test('trace 11 replaces what a restored server no longer has, whatever its version, and sends what is pending', async () => {
  const { a, b, server, platform } = world();
  await fill(b, ['t1', 't2']);
  for (const title of ['x', 'y', 'z']) await b.tasks.records.update('t1', { title });
  await b.tasks.sync();
  await a.tasks.sync();
  a.tasks.pause();
  await a.tasks.records.update('t1', { note: 'mine' });
  a.tasks.records.create('t9', { title: 'new' });

  // The backup knows `t1` at version 1 only, and nothing of `t2`.
  server.handler = makeHandler(platform, { strategy: 'last-write-wins' });
  await server.handler.recordChange({
    objectName: 'task',
    recordId: 't1',
    operation: 'create',
    data: { title: 'old' },
  });
  a.tasks.resume();
  await a.tasks.sync();
  expect(a.tasks.status).toMatchObject({ pending: 0, deadLetters: 0, conflicts: 0 });
  const page = await server.handler.store.page({ after: 0, limit: 10 });
  const stored = Object.fromEntries(
    page.records.map(({ recordId, version, data }) => [recordId, { version, data: JSON.parse(data ?? 'null') }]),
  );
  expect([stored, await a.tasks.records.get('t1'), await a.seen()]).toEqual([
    { t1: { version: 2, data: { title: 'old', note: 'mine' } }, t9: { version: 1, data: { title: 'new' } } },
    expect.objectContaining({ version: 2, data: { title: 'old', note: 'mine' } }),
    { t1: 'old', t9: 'new' },
  ]);
});

test('sends nothing until the walk after an epoch reset is over, and then without bases', async () => {
  const { tasks, seen, plugin, server } = device({
    script: [
      appliesWith({ serverChanges: [change('t1', 7, { title: 'seven' })], checkpoint: 'old.1' }),
      () => ({ reset: 'epoch', checkpoint: 'new.1', hasMore: true }),
      () => ({ serverChanges: [change('t1', 2, { title: 'two' })], checkpoint: 'new.2' }),
    ],
    otherwise: ({ mutations }) => ({
      results: mutations.map(({ id, data }) => ({
        status: 'applied',
        mutationId: id,
        serverVersion: 3,
        ...(data && { record: data }),
      })),
    }),
  });
  await tasks.sync();
  await tasks.records.update('t1', { title: 'mine' });
  await tasks.sync();
  expect(
    server.requests
      .slice(1)
      .map(({ lastCheckpoint, mutations }) => [lastCheckpoint, mutations.map((m) => m.baseVersion)]),
  ).toEqual([
    ['old.1', [7]],
    ['new.1', []],
    ['new.2', [null]],
  ]);
  expect([await seen(), plugin.client.log.meta.walk]).toEqual([{ t1: 'mine' }, null]);
});

test('takes the lower version of a restored server for what it is', async () => {
  const { a, b, server, platform } = world();
  await fill(b, ['t1']);
  for (const title of ['x', 'y', 'z']) await b.tasks.records.update('t1', { title });
  await b.tasks.sync();
  await a.tasks.sync();
  server.handler = makeHandler(platform);
  await server.handler.recordChange({
    objectName: 'task',
    recordId: 't1',
    operation: 'create',
    data: { title: 'old' },
  });
  await a.tasks.sync();
  expect(await a.tasks.records.get('t1')).toMatchObject({ version: 1, data: { title: 'old' } });
});

test('bases nothing on the version of a record that the walk has not seen yet', async () => {
  const bases: (number | null)[] = [];
  let isWalking = false;
  const editsInTheWalk: Step = async (request, server) => {
    if (isWalking && bases.length === 0) {
      bases.push((await tasks.records.update('t1', { title: 'x' })).baseVersion);
      bases.push((await tasks.records.update('t2', { title: 'x' })).baseVersion);
    }
    return applies(request, server);
  };
  const { tasks } = device({
    script: [
      () => ({ serverChanges: [change('t1', 7), change('t2', 9)] }),
      () => ({ reset: 'epoch', serverChanges: [change('t1', 2)], hasMore: true }),
    ],
    otherwise: editsInTheWalk,
  });
  await tasks.sync();
  tasks.addListener({
    onServerChanges: () => {
      isWalking = true;
    },
  });
  await tasks.sync();
  expect(bases).toEqual([2, null]);
});

test('keeps nobody’s old version: neither a parked conflict’s nor a dead letter’s', async () => {
  const { a, b, server, platform } = world({ strategy: 'manual' });
  await fill(b, ['t1']);
  await a.tasks.sync();
  for (const title of ['x', 'y', 'z']) await b.tasks.records.update('t1', { title });
  await b.tasks.sync();
  const { id } = await a.tasks.records.update('t1', { title: 'mine' });
  const dead = a.tasks.recordMutation({
    objectName: 'task',
    recordId: 'nowhere',
    operation: 'update',
    data: { title: 'x' },
    baseVersion: 9,
  });
  await a.tasks.sync();
  expect(a.tasks.status).toMatchObject({ conflicts: 1, deadLetters: 1 });

  server.handler = makeHandler(platform, { strategy: 'manual' });
  await server.handler.recordChange({
    objectName: 'task',
    recordId: 't1',
    operation: 'create',
    data: { title: 'old' },
  });
  await a.tasks.sync();
  expect([a.tasks.conflicts.list()[0]?.conflict.serverVersion, a.tasks.deadLetters.list()[0]?.mutation]).toEqual([
    undefined,
    expect.objectContaining({ id: dead.id, baseVersion: null }),
  ]);
  const decided = await a.tasks.conflicts.resolve(id, 'mine');
  expect(decided?.baseVersion).toBeNull();
});

test('walks anew when the rights of the user change, and forgets what they may no longer see', async () => {
  let scope = 'all';
  const authorize = {
    scope: () => scope,
    read: ({ recordId }: { recordId: string | number }) =>
      scope === 'all' || recordId === 't1' ? ('allow' as const) : ('hide' as const),
  };
  const { a, b } = world({ authorize });
  await fill(b, ['t1', 't2']);
  await a.tasks.sync();
  scope = 'some';
  await a.tasks.sync();
  expect(await a.seen()).toEqual({ t1: 't1' });
});

test('starts over where the server does not know the checkpoint', async () => {
  const { b, connection } = world();
  await fill(b, ['t1']);
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

test('does not ask a server in a loop that starts over with every answer', async () => {
  const { tasks, server } = device({ otherwise: () => ({ reset: 'epoch', hasMore: true }) });
  expect(await tasks.sync()).toBeNull();
  expect([server.requests.length, tasks.status]).toEqual([4, expect.objectContaining({ state: 'waiting' })]);
});

test('a cloned device continues as a log of its own and loses nothing', async () => {
  const { a, server, storage } = world();
  await fill(a, ['t1']);
  // The clone starts from the same storage, before either of them goes on.
  const cloneStorage = new FaultStorage(new LastingStorage());
  const { meta, entries } = await storage.load();
  if (!meta) throw new Error('The storage was written.');
  await cloneStorage.commit({ meta, putEntries: entries, putRecords: [...(await storage.listRecords('task'))] });
  const { transport, requests } = server.connect();
  const clone = device({ transport, storage: cloneStorage, platform: new TestPlatform({ seed: 9 }), clientId: 'a' });

  await fill(a, ['t2']);
  const own = [clone.tasks.records.create('t3', { title: 't3' }), clone.tasks.records.create('t4', { title: 't4' })];
  await clone.tasks.sync();
  expect([requests.map(({ mutations }) => mutations.map(({ id, sequence }) => [id, sequence]))]).toEqual([
    [
      [
        [own[0]?.id, 2],
        [own[1]?.id, 3],
      ],
      [
        [own[0]?.id, 2],
        [own[1]?.id, 3],
      ],
    ],
  ]);
  expect([requests[0]?.logId !== requests[1]?.logId, clone.tasks.status.pending]).toEqual([true, 0]);
  await a.tasks.sync();
  expect([await a.seen(), (await cloneStorage.load()).meta?.nextSequence]).toEqual([
    { t1: 't1', t2: 't2', t3: 't3', t4: 't4' },
    4,
  ]);
});

test('I6 brings what was left out of an object once it is pulled', async () => {
  const { server, connection, storage, platform } = world();
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
