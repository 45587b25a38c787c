/** A server of the published protocol 1: no ids in results, no kinds, stamps, times or codes. */
import type { SyncPushRequest } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import { device } from './device.js';
import { type Script, scriptedServer } from './scripted-server.js';

const applied = (serverVersion: number) => ({ status: 'applied', serverVersion });

function world(script: Script, strategy: 'last-write-wins' | 'crdt' | 'manual' = 'last-write-wins') {
  const server = scriptedServer(script);
  return {
    server,
    ...device({ transport: server.transport, defaultConfig: { enabled: true, debounce_ms: 100, strategy } }),
  };
}

function conflictOf({ mutations }: SyncPushRequest, serverRecord: object | null) {
  const [clientMutation] = mutations;
  return {
    status: 'conflict',
    conflict: { objectName: 'task', recordId: 't1', clientMutation, serverRecord, conflictingFields: ['title'] },
  };
}

const theirs = { title: 'theirs', status: 'open' };
const theirChange = (timestamp: string) => ({
  objectName: 'task',
  recordId: 't1',
  operation: 'update',
  data: theirs,
  serverVersion: 6,
  timestamp,
});

function update(tasks: ReturnType<typeof device>['tasks']) {
  const data = { title: 'mine', status: 'done' };
  return tasks.recordMutation({ objectName: 'task', recordId: 't1', operation: 'update', data, baseVersion: 4 });
}

test('matches results to mutations by their order', async () => {
  const { tasks } = world(() => ({
    results: [applied(1), { status: 'rejected', reason: 'You may not.' }, applied(2)],
    serverChanges: [],
    checkpoint: '17',
  }));
  const made = ['a', 'b', 'c'].map((id) => tasks.records.create(id, { title: id }));
  await tasks.sync();
  expect([await Promise.all(made.map(({ id }) => tasks.settled(id))), tasks.getCheckpoint()]).toEqual([
    [
      { status: 'applied', version: 1, droppedFields: [] },
      { status: 'rejected', code: 'INVALID', reason: 'You may not.' },
      { status: 'applied', version: 2, droppedFields: [] },
    ],
    '17',
  ]);
});

test('settles nothing when there are too few results', async () => {
  const { tasks, plugin } = world(() => ({ results: [applied(1)], serverChanges: [], checkpoint: '17' }));
  for (const id of ['a', 'b']) tasks.records.create(id, { title: id });
  expect(await tasks.sync()).toBeNull();
  expect([plugin.client.status.pending, tasks.getCheckpoint()]).toEqual([2, null]);
});

test('last-write-wins compares with the time of the change that came along', async () => {
  for (const [timestamp, winner] of [
    ['2025-12-31T00:00:00.000Z', 'mine'],
    ['2026-01-02T00:00:00.000Z', 'theirs'],
  ] as const) {
    const { tasks, server } = world((request, call) =>
      call === 1
        ? { results: [conflictOf(request, theirs)], serverChanges: [theirChange(timestamp)], checkpoint: '17' }
        : { results: [applied(7)], serverChanges: [], checkpoint: '18' },
    );
    update(tasks);
    await tasks.sync();
    expect([server.requests[1]?.mutations.map(({ baseVersion, data }) => [baseVersion, data]), winner]).toEqual([
      [[6, winner === 'mine' ? { title: 'mine', status: 'done' } : { status: 'done' }]],
      winner,
    ]);
  }
});

test('last-write-wins leaves to the user what it knows no time of', async () => {
  const { tasks, server } = world((request) => ({
    results: [conflictOf(request, theirs)],
    serverChanges: [],
    checkpoint: '17',
  }));
  update(tasks);
  await tasks.sync();
  expect([server.requests.length, tasks.conflicts.list().map(({ conflict }) => conflict.kind)]).toEqual([
    1,
    ['update-update'],
  ]);
});

test('crdt needs no time', async () => {
  const { tasks, server } = world(
    (request, call) =>
      call === 1
        ? {
            results: [conflictOf(request, theirs)],
            serverChanges: [theirChange('2026-01-02T00:00:00Z')],
            checkpoint: '17',
          }
        : { results: [applied(7)], serverChanges: [], checkpoint: '18' },
    'crdt',
  );
  update(tasks);
  await tasks.sync();
  expect(server.requests[1]?.mutations.map(({ baseVersion, data }) => [baseVersion, data])).toEqual([
    [6, { status: 'done' }],
  ]);
});

test('parks an update of a deleted record it has no copy of', async () => {
  const { tasks } = world((request) => ({
    results: [conflictOf(request, null)],
    serverChanges: [],
    checkpoint: '17',
  }));
  const { id } = update(tasks);
  await tasks.sync();
  expect(await tasks.settled(id)).toMatchObject({ status: 'conflict', conflict: { kind: 'update-delete' } });
});

test('makes no record out of an update alone', async () => {
  const { tasks, seen } = world(() => ({ results: [applied(5)], serverChanges: [], checkpoint: '17' }));
  update(tasks);
  await tasks.sync();
  expect(await seen()).toEqual({});
});

test('takes changes without a word of more pages as all there are', async () => {
  const { tasks, server, seen } = world(() => ({
    results: [],
    serverChanges: [theirChange('2026-01-02T00:00:00Z')],
    checkpoint: '17',
  }));
  await tasks.sync();
  expect([server.requests.length, await seen()]).toEqual([1, { t1: 'theirs' }]);
});
