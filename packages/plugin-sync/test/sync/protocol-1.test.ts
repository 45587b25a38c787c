/** A server of the published protocol 1: no ids in results, no kinds, stamps, times or codes. */
import type { SyncPushRequest } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import { type Device, device } from '../fixtures/device.js';
import { RawAnswer, type Step } from '../fixtures/scripted-server.js';

/** An answer of protocol 1; the checkpoint of the first one is 17. */
function answers(
  results: (request: SyncPushRequest) => readonly object[],
  serverChanges: readonly object[] = [],
): Step {
  return (request, { requests }) =>
    new RawAnswer({ results: results(request), serverChanges, checkpoint: `${16 + requests.length}` });
}

const applied = (serverVersion: number) => ({ status: 'applied', serverVersion });

const meets = (serverRecord: object | null) => (request: SyncPushRequest) => {
  const [clientMutation] = request.mutations;
  const conflict = { objectName: 'task', recordId: 't1', clientMutation, serverRecord, conflictingFields: ['title'] };
  return [{ status: 'conflict', conflict }];
};

const theirs = { title: 'theirs', status: 'open' };
const theirChange = (timestamp: string) => ({
  objectName: 'task',
  recordId: 't1',
  operation: 'update',
  data: theirs,
  serverVersion: 6,
  timestamp,
});

function update({ tasks }: Device) {
  const data = { title: 'mine', status: 'done' };
  return tasks.recordMutation({ objectName: 'task', recordId: 't1', operation: 'update', data, baseVersion: 4 });
}

/** The bases and the data of what was sent in the second request. */
const sentAgain = ({ server }: Device) =>
  server.requests[1]?.mutations.map(({ baseVersion, data }) => [baseVersion, data]);

test('matches results to mutations by their order', async () => {
  const { tasks } = device({
    script: [answers(() => [applied(1), { status: 'rejected', reason: 'You may not.' }, applied(2)])],
  });
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
  const { tasks } = device({ script: [answers(() => [applied(1)])] });
  for (const id of ['a', 'b']) tasks.records.create(id, { title: id });
  expect(await tasks.sync()).toBeNull();
  expect([tasks.status.pending, tasks.getCheckpoint()]).toEqual([2, null]);
});

test.each([
  ['2025-12-31T00:00:00.000Z', { title: 'mine', status: 'done' }],
  ['2026-01-02T00:00:00.000Z', { status: 'done' }],
])('last-write-wins compares with the time of the change that came along: %s', async (timestamp, written) => {
  const made = device({
    script: [answers(meets(theirs), [theirChange(timestamp)]), answers(() => [applied(7)])],
    config: { strategy: 'last-write-wins' },
  });
  update(made);
  await made.tasks.sync();
  expect(sentAgain(made)).toEqual([[6, written]]);
});

test('last-write-wins leaves to the user what it knows no time of', async () => {
  const made = device({ otherwise: answers(meets(theirs)), config: { strategy: 'last-write-wins' } });
  update(made);
  await made.tasks.sync();
  expect([made.server.requests.length, made.tasks.conflicts.list().map(({ conflict }) => conflict.kind)]).toEqual([
    1,
    ['update-update'],
  ]);
});

test('crdt needs no time', async () => {
  const made = device({
    script: [answers(meets(theirs), [theirChange('2026-01-02T00:00:00Z')]), answers(() => [applied(7)])],
    config: { strategy: 'crdt' },
  });
  update(made);
  await made.tasks.sync();
  expect(sentAgain(made)).toEqual([[6, { status: 'done' }]]);
});

test('parks an update of a deleted record it has no copy of', async () => {
  const made = device({ otherwise: answers(meets(null)), config: { strategy: 'last-write-wins' } });
  const { id } = update(made);
  await made.tasks.sync();
  expect(await made.tasks.settled(id)).toMatchObject({ status: 'conflict', conflict: { kind: 'update-delete' } });
});

test('makes no record out of an update alone', async () => {
  const made = device({ script: [answers(() => [applied(5)])] });
  update(made);
  await made.tasks.sync();
  expect(await made.seen()).toEqual({});
});

test('takes changes without a word of more pages as all there are', async () => {
  const { tasks, server, seen } = device({ otherwise: answers(() => [], [theirChange('2026-01-02T00:00:00Z')]) });
  await tasks.sync();
  expect([server.requests.length, await seen()]).toEqual([1, { t1: 'theirs' }]);
});
