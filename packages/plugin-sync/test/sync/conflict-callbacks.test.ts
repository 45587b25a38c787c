/** `onConflict`: what a callback of the application merges, and what becomes of one that fails or takes long. */
import type { SyncConflict, SyncMutationResult, SyncPushRequest } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import { CALLBACK_WAIT_MS } from '../../src/conflicts/decide-conflicts.js';
import { device } from '../fixtures/device.js';
import type { Step } from '../fixtures/scripted-server.js';
import { serverRecord, twoDevices } from '../fixtures/two-devices.js';

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

for (const [name, onConflict] of [
  ['throws', () => fail('callback')],
  ['rejects', async () => fail('callback')],
  ['returns what is no JSON', () => ({ title: new Date(0) })],
  ['returns what is no record', () => 'text' as never],
  ['returns a list', () => [{ title: 'Merged' }] as never],
] as const) {
  test(`whose callback ${name} is parked, and the failure is told`, async () => {
    const { edit, tasks, heard } = device({ script: [conflicts()], config: { strategy: 'manual' }, onConflict });
    edit();
    await tasks.sync();
    const { conflicts: parked, pending } = tasks.status;
    const errors = heard.filter((line) => line.startsWith('error'));
    expect({ parked, pending, errors: errors.length }).toEqual({ parked: 1, pending: 0, errors: 1 });
  });
}

test('leaves out of a merge what the user has overwritten since', async () => {
  const editsMeanwhile: Step = (request, server) => {
    tasks.recordMutation({ ...request.mutations[0], data: { title: 'Newer' } } as never);
    return conflicts()(request, server);
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

test('tells that the answer of a dialog could not be stored, and keeps the conflict', async () => {
  let choose = (_: Record<string, string>) => {};
  const onConflict = () =>
    new Promise<Record<string, string>>((resolve) => {
      choose = resolve;
    });
  const { a, b, platform } = await twoDevices({}, { config: { strategy: 'manual' }, onConflict });
  await b.tasks.records.update('t1', { title: 'theirs' });
  await b.tasks.sync();
  await a.tasks.records.update('t1', { title: 'mine' });
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

/** Finds that every mutation meets an older change of its fields, and knows no strategy. */
function conflicts(): Step {
  return (request) => ({ results: request.mutations.map((mutation) => conflictOf(mutation)) });
}

function conflictOf(clientMutation: SyncPushRequest['mutations'][number]): SyncMutationResult {
  const { id, objectName, recordId, timestamp, sequence } = clientMutation;
  const fields = Object.keys(clientMutation.data ?? {});
  const conflict: SyncConflict = {
    objectName,
    recordId,
    clientMutation,
    serverRecord: { title: 'Theirs', status: 'theirs' },
    conflictingFields: fields,
    kind: 'update-update',
    serverVersion: 7,
    clientStamp: { time: Date.parse(timestamp), logId: 'mine', sequence },
    serverStamps: Object.fromEntries(fields.map((field) => [field, { time: 0, logId: 'theirs', sequence: 1 }])),
  };
  return { mutationId: id, status: 'conflict', conflict };
}

function fail(message: string): never {
  throw new Error(message);
}
