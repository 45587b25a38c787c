/** What was recorded reaches the server once, in order, and is seen everywhere: against the real handler. */
import { expect, test } from 'vitest';
import type { SyncUsageError } from '../../src/sync-usage-error.js';
import { device } from '../fixtures/device.js';
import { appliesWith, change } from '../fixtures/scripted-server.js';
import { twoNewDevices } from '../fixtures/two-devices.js';

test('creates, updates and deletes offline, syncs, and shows it on another device', async () => {
  const { a, b } = twoNewDevices();
  a.tasks.records.create('t1', { title: 'one' });
  a.tasks.records.create('t2', { title: 'two' });
  await a.tasks.records.update('t1', { title: 'uno' });
  await a.tasks.records.delete('t2');
  const offline = await a.seen();
  await a.tasks.sync();
  await b.tasks.sync();
  expect([offline, await a.seen(), await b.seen()]).toEqual([{ t1: 'uno' }, { t1: 'uno' }, { t1: 'uno' }]);
  expect([a.tasks.status, a.heard]).toEqual([
    {
      state: 'idle',
      pending: 0,
      conflicts: 0,
      deadLetters: 0,
      isStorageFailing: false,
      attention: false,
      clockSkewMs: 0,
      live: 'off',
      progress: null,
      lastError: null,
      lastErrorCode: null,
    },
    ['start', 'complete'],
  ]);
});

test('trace 1 applies create, update, update of one record as versions 1, 2, 3', async () => {
  const { a } = twoNewDevices();
  const made = [
    a.tasks.records.create('t1', { title: 'one' }),
    await a.tasks.records.update('t1', { title: 'two' }),
    await a.tasks.records.update('t1', { title: 'three' }),
  ];
  const outcomes = made.map(({ id }) => a.tasks.settled(id));
  await a.tasks.sync();
  expect(await Promise.all(outcomes)).toEqual(
    [1, 2, 3].map((version) => ({ status: 'applied', version, droppedFields: [] })),
  );
  expect(await a.tasks.records.get('t1')).toMatchObject({ version: 3, data: { title: 'three' }, isPending: false });
});

test('trace 2 learns the outcome of what was applied before its answer was lost, and applies nothing twice', async () => {
  const { a, b, connection } = twoNewDevices();
  const { id } = a.tasks.records.create('t1', { title: 'one' });
  connection.fates.push('answer lost');
  const outcome = a.tasks.settled(id);
  expect(await a.tasks.sync()).toBeNull();
  expect(a.tasks.status).toMatchObject({ state: 'waiting', pending: 1, lastError: 'The answer lost.' });

  await a.platform.advance(1000);
  expect([
    await outcome,
    connection.requests.length,
    connection.requests[0]?.mutations,
    a.tasks.status.pending,
  ]).toEqual([{ status: 'applied', version: 1, droppedFields: [] }, 2, connection.requests[1]?.mutations, 0]);
  await b.tasks.sync();
  expect(await b.tasks.records.get('t1')).toMatchObject({ version: 1 });
});

test('trace 3 merges edits of different fields and takes over the merged record', async () => {
  const { a, b } = twoNewDevices();
  a.tasks.records.create('t1', { title: 'one', status: 'open' });
  await a.tasks.sync();
  await b.tasks.sync();
  await a.tasks.records.update('t1', { status: 'done' });
  await b.tasks.records.update('t1', { title: 'two' });
  await a.tasks.sync();
  await b.tasks.sync();
  await a.tasks.sync();
  const merged = { version: 3, data: { title: 'two', status: 'done' }, isPending: false };
  expect([await a.tasks.records.get('t1'), await b.tasks.records.get('t1'), b.heard.includes('conflict: t1')]).toEqual([
    expect.objectContaining(merged),
    expect.objectContaining(merged),
    false,
  ]);
});

test('sends everything recorded before sync, also what was recorded while one was under way', async () => {
  const { a, b, server } = twoNewDevices();
  a.tasks.records.create('t1', { title: 'one' });
  const first = a.tasks.sync();
  a.tasks.records.create('t2', { title: 'two' });
  const joined = a.tasks.sync();
  await Promise.all([first, joined]);
  expect(a.tasks.status.pending).toBe(0);
  await b.tasks.sync();
  expect([await b.seen(), server.handler.limits.maxMutations]).toEqual([{ t1: 'one', t2: 'two' }, 1000]);
});

test('drains a long log in batches of the object’s size, and pulls page after page', async () => {
  const { a, b, connection } = twoNewDevices();
  for (let index = 0; index < 120; index++) a.tasks.records.create(`t${index}`, { title: `${index}` });
  const answer = await a.tasks.sync();
  expect([connection.requests.map(({ mutations }) => mutations.length), answer?.results.length]).toEqual([
    [50, 50, 20],
    120,
  ]);
  await b.tasks.sync();
  expect(Object.keys(await b.seen()).length).toBe(120);
});

test('keeps the order across objects: a task never arrives before its project', async () => {
  const { a, connection } = twoNewDevices();
  const projects = a.plugin.getEngine('project');
  projects.records.create('p1', { name: 'house' });
  a.tasks.records.create('t1', { title: 'roof', project: 'p1' });
  projects.records.create('p2', { name: 'garden' });
  await a.plugin.syncAll();
  expect(connection.requests[0]?.mutations.map(({ sequence, recordId }) => [sequence, recordId])).toEqual([
    [1, 'p1'],
    [2, 't1'],
    [3, 'p2'],
  ]);
});

test('gives the next process all there is: records, what is pending, and where the feed stands', async () => {
  const { a, server, platform } = twoNewDevices();
  a.tasks.records.create('t1', { title: 'one' });
  await a.tasks.sync();
  a.tasks.records.create('t2', { title: 'two' });
  await a.tasks.flush();
  const checkpoint = a.tasks.getCheckpoint();
  a.tasks.pause();

  const reconnected = server.connect();
  const next = device({ transport: reconnected.transport, storage: a.storage, platform, clientId: 'a' });
  expect(await next.seen()).toEqual({ t1: 'one', t2: 'two' });
  await platform.advance(1000);
  expect([next.tasks.status.pending, reconnected.requests[0]?.lastCheckpoint, next.heard]).toEqual([
    0,
    checkpoint,
    ['start', 'complete'],
  ]);
});

test('tells the outcome of a mutation that an earlier process recorded', async () => {
  const { a, server, platform } = twoNewDevices();
  const { id } = a.tasks.records.create('t1', { title: 'one' });
  await a.tasks.flush();
  a.tasks.pause();
  const next = device({ transport: server.connect().transport, storage: a.storage, platform, clientId: 'a' });
  const outcome = next.tasks.settled(id);
  await platform.advance(1000);
  expect(await outcome).toEqual({ status: 'applied', version: 1, droppedFields: [] });
});

test('knows nothing of a mutation that never was', async () => {
  const { a } = twoNewDevices();
  await expect(a.tasks.settled('nobody')).rejects.toMatchObject({ code: 'UNKNOWN_ID' });
});

test('keeps nobody waiting for the outcome of what was taken out of the log', async () => {
  const { a, platform } = twoNewDevices();
  platform.setOnline(false);
  const { id } = a.tasks.records.create('t1', { title: 'one' });
  const outcome = codeOf(a.tasks.settled(id));
  await a.tasks.flush();
  a.tasks.getMutationLogger().clear();
  expect([await outcome, await codeOf(a.tasks.settled(id))]).toEqual(['UNKNOWN_ID', 'UNKNOWN_ID']);
});

test('tells the outcome also of what was taken out of the log while it was being sent', async () => {
  const { a, connection } = twoNewDevices();
  const { id } = a.tasks.records.create('t1', { title: 'one' });
  const early = codeOf(a.tasks.settled(id));
  a.plugin.client.transport = {
    push(request) {
      a.tasks.getMutationLogger().acknowledge([id]);
      return connection.transport.push(request);
    },
  };
  await a.tasks.sync();
  expect([await early, await a.tasks.settled(id)]).toEqual([
    'UNKNOWN_ID',
    { status: 'applied', version: 1, droppedFields: [] },
  ]);
});

test('I7 never meets a conflict alone, whatever is lost', async () => {
  const { a, connection, platform } = twoNewDevices();
  for (let round = 0; round < 30; round++) {
    const id = `t${round % 4}`;
    if (await a.tasks.records.get(id)) {
      if (round % 7 === 3) await a.tasks.records.delete(id);
      else await a.tasks.records.update(id, { title: `${round}`, [`f${round % 3}`]: round });
    } else a.tasks.records.create(id, { title: `${round}` });
    if (round % 3 === 0) connection.fates.push(round % 2 === 0 ? 'answer lost' : 'request lost');
    await a.tasks.sync();
  }
  await platform.advance(600_000);
  expect([a.heard.filter((line) => /conflict|dropped/.test(line)), a.tasks.status]).toEqual([
    [],
    expect.objectContaining({ pending: 0, conflicts: 0, deadLetters: 0, state: 'idle' }),
  ]);
});

test('tells each status once, however often it is looked at', async () => {
  const { a, connection } = twoNewDevices();
  const told: string[] = [];
  const stop = a.tasks.subscribeStatus((status) => void told.push(JSON.stringify(status)));
  a.tasks.records.create('t1', { title: 'one' });
  connection.fates.push('answer lost');
  await a.tasks.sync();
  await a.platform.advance(1000);
  await a.tasks.records.update('t1', { title: 'two' });
  a.tasks.pause();
  a.tasks.pause();
  a.tasks.resume();
  await a.tasks.sync();
  stop();
  expect(told.filter((status, index) => status === told[index - 1])).toEqual([]);
  expect(told.map((status) => JSON.parse(status)).at(-1)).toMatchObject({ state: 'idle', pending: 0 });
});

test('a long first sync tells how far it is, and is idle without progress when it ends', async () => {
  const pages = [1, 2, 3].map((page) =>
    appliesWith({ serverChanges: [change(`t${page}`)], checkpoint: `page-${page}`, hasMore: page < 3 }),
  );
  const { tasks } = device({ script: pages });
  const seen: unknown[] = [];
  tasks.subscribeStatus(({ state, progress }) => {
    const now = { state, received: progress?.received ?? null };
    if (JSON.stringify(now) !== JSON.stringify(seen.at(-1))) seen.push(now);
  });
  await tasks.sync();
  expect(seen).toEqual([
    { state: 'idle', received: null },
    { state: 'syncing', received: null },
    { state: 'syncing', received: 1 },
    { state: 'syncing', received: 2 },
    { state: 'syncing', received: 3 },
    { state: 'idle', received: null },
  ]);
});

/** The code of the error with which it rejects. */
async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'none',
    ({ code }: SyncUsageError) => code,
  );
}
