/** A server that was restored begins another epoch: no version of the one before counts. */
import { expect, test } from 'vitest';
import { device } from '../fixtures/device.js';
import { makeHandler } from '../fixtures/real-server.js';
import { applies, appliesWith, change, type Step } from '../fixtures/scripted-server.js';
import { createTasks, type TwoDevices, twoNewDevices } from '../fixtures/two-devices.js';

/** Puts a backup in place of the server, which knows task `t1` at version 1 only. */
async function restoreOld({ server, platform }: TwoDevices, options: Parameters<typeof makeHandler>[1] = {}) {
  server.handler = makeHandler(platform, options);
  const data = { title: 'old' };
  await server.handler.recordChange({ objectName: 'task', recordId: 't1', operation: 'create', data });
}

test('trace 11 replaces what a restored server no longer has, whatever its version, and sends what is pending', async () => {
  const both = twoNewDevices();
  const { a, b, server } = both;
  await createTasks(b, ['t1', 't2']);
  for (const title of ['x', 'y', 'z']) await b.tasks.records.update('t1', { title });
  await b.tasks.sync();
  await a.tasks.sync();
  a.tasks.pause();
  await a.tasks.records.update('t1', { note: 'mine' });
  a.tasks.records.create('t9', { title: 'new' });

  await restoreOld(both, { strategy: 'last-write-wins' });
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
  const both = twoNewDevices();
  const { a, b } = both;
  await createTasks(b, ['t1']);
  for (const title of ['x', 'y', 'z']) await b.tasks.records.update('t1', { title });
  await b.tasks.sync();
  await a.tasks.sync();
  await restoreOld(both);
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
  const both = twoNewDevices({ strategy: 'manual' });
  const { a, b } = both;
  await createTasks(b, ['t1']);
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

  await restoreOld(both, { strategy: 'manual' });
  await a.tasks.sync();
  expect([a.tasks.conflicts.list()[0]?.conflict.serverVersion, a.tasks.deadLetters.list()[0]?.mutation]).toEqual([
    undefined,
    expect.objectContaining({ id: dead.id, baseVersion: null }),
  ]);
  const decided = await a.tasks.conflicts.resolve(id, 'mine');
  expect(decided?.baseVersion).toBeNull();
});
