/** `onConflict`: what a callback of the application merges, and what becomes of one that fails or takes long. */
import type { SyncConflict } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import type { OnConflict } from '../../src/conflicts/conflict-resolver.js';
import { CALLBACK_WAIT_MS } from '../../src/conflicts/decide-conflicts.js';
import { device } from '../fixtures/device.js';
import { conflicts, type Step } from '../fixtures/scripted-server.js';
import { devicesInConflict, serverRecord, twoDevices } from '../fixtures/two-devices.js';

/** What somebody has written since version 1, with no word of how to decide it. */
const meets = conflicts({ kind: 'update-update', serverVersion: 7 });

test('the callback’s merge is written within the same sync', async () => {
  const onConflict = async ({ serverRecord: theirs, clientMutation }: SyncConflict) => ({
    ...theirs,
    title: `${theirs?.title} and ${clientMutation.data?.title}`,
  });
  const { a, server } = await devicesInConflict({ config: { strategy: 'manual' }, onConflict });
  await a.tasks.sync();
  expect([await serverRecord(server), a.tasks.status.pending]).toEqual([
    { title: 'theirs and mine', status: 'open', due: 'then' },
    0,
  ]);
});

test.each<[string, OnConflict]>([
  ['synchronously', () => ({ title: 'Merged' })],
  ['asynchronously', async () => ({ title: 'Merged' })],
])('writes what is merged %s on top of what the server has', async (_, onConflict) => {
  const { edit, tasks, server } = device({ script: [meets], config: { strategy: 'manual' }, onConflict });
  edit();
  await tasks.sync();
  const written = server.requests[1]?.mutations.map(({ operation, data, baseVersion }) => [
    operation,
    data,
    baseVersion,
  ]);
  expect([written, tasks.status.pending, tasks.status.conflicts]).toEqual([[['update', { title: 'Merged' }, 7]], 0, 0]);
});

const NO_JSON = 'The mutation was not recorded: data.due is a Date, which JSON cannot keep unchanged.';
const NO_RECORD =
  'What onConflict returns for a task must be an object. Return the merged record, or undefined to leave the conflict to the user.';

test.each<[string, () => unknown, string]>([
  ['throws', () => fail('merge failed'), 'merge failed'],
  ['rejects', async () => fail('merge failed'), 'merge failed'],
  ['returns what is no JSON', () => ({ due: new Date(0) }), NO_JSON],
  ['returns what is no record', () => 'text', NO_RECORD],
  ['returns a list', () => [{ title: 'Merged' }], NO_RECORD],
])('I8 parks a conflict whose callback %s, and tells the failure', async (_, onConflict, message) => {
  // The cast hands in what JavaScript callers hand in.
  const { a } = await devicesInConflict({ config: { strategy: 'manual' }, onConflict: onConflict as OnConflict });
  await a.tasks.sync();
  expect([a.tasks.conflicts.size, a.tasks.status.pending, a.heard]).toEqual([
    1,
    0,
    ['start', `error: ${message}`, 'changes: t1', 'conflict: t1', 'complete'],
  ]);
});

test('leaves out of a merge what the user has overwritten since', async () => {
  const editsMeanwhile: Step = (request, server) => {
    tasks.recordMutation({ ...request.mutations[0], data: { title: 'Newer' } } as never);
    return meets(request, server);
  };
  const { tasks, server } = device({
    script: [editsMeanwhile],
    config: { strategy: 'manual' },
    onConflict: () => ({ title: 'Merged', status: 'merged' }),
  });
  tasks.recordMutation({
    objectName: 'task',
    recordId: 't1',
    operation: 'update',
    data: { title: 'Mine' },
    baseVersion: 1,
  });
  await tasks.sync();
  const later = server.requests.slice(1).flatMap(({ mutations }) => mutations.map(({ data }) => data));
  expect(later).toEqual([{ title: 'Newer' }, { status: 'merged' }]);
});

test('an open dialog keeps nothing else waiting, and its answer counts when it comes', async () => {
  let choose = (_: Record<string, string>) => {};
  const onConflict = () =>
    new Promise<Record<string, string>>((resolve) => {
      choose = resolve;
    });
  const { a, server, platform } = await devicesInConflict({ config: { strategy: 'manual' }, onConflict });
  a.tasks.records.create('t2', { title: 'other' });
  const synced = a.tasks.sync();
  await platform.advance(CALLBACK_WAIT_MS);
  await synced;
  expect([a.tasks.conflicts.size, a.tasks.status.pending]).toEqual([1, 0]);

  choose({ title: 'chosen at last' });
  await platform.advance(1000);
  expect([a.tasks.conflicts.size, (await serverRecord(server))?.title]).toEqual([0, 'chosen at last']);
});

test('tells that the answer of a dialog could not be stored, and keeps the conflict', async () => {
  let choose = (_: Record<string, string>) => {};
  const onConflict = () =>
    new Promise<Record<string, string>>((resolve) => {
      choose = resolve;
    });
  const { a, platform } = await devicesInConflict({ config: { strategy: 'manual' }, onConflict });
  const synced = a.tasks.sync();
  await platform.advance(CALLBACK_WAIT_MS);
  await synced;
  a.storage.fail('commit', new Error('disk full'));
  choose({ title: 'chosen at last' });
  await platform.advance(0);
  expect([a.heard.at(-1), a.tasks.conflicts.size]).toEqual(['error: disk full', 1]);
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

function fail(message: string): never {
  throw new Error(message);
}
