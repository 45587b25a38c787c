import type { SyncConflict } from '@objectql/sync-types';
import { crdt, lastWriteWins, manual, type Strategy } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import { sampleMutation } from '../storage/contract/storage-samples.js';
import { ConflictResolver, type ResolverOptions, resolveWith } from './conflict-resolver.js';

const MINE = { time: 2000, logId: 'mine', sequence: 1 };
const LATER = { time: 3000, logId: 'theirs', sequence: 9 };
const EARLIER = { time: 1000, logId: 'theirs', sequence: 9 };

function conflict(change: Partial<SyncConflict> = {}): SyncConflict {
  return {
    objectName: 'task',
    recordId: 't1',
    clientMutation: sampleMutation({
      id: 'm1',
      recordId: 't1',
      data: { title: 'mine', status: 'done' },
      baseVersion: 4,
    }),
    serverRecord: { title: 'theirs', status: 'open', due: 'now' },
    conflictingFields: ['title'],
    kind: 'update-update',
    serverVersion: 6,
    clientStamp: MINE,
    serverStamps: { title: LATER },
    ...change,
  };
}

function deleted(change: Partial<SyncConflict> = {}): SyncConflict {
  return conflict({
    kind: 'update-delete',
    serverRecord: null,
    conflictingFields: ['title', 'status'],
    serverStamps: {},
    deletedStamp: EARLIER,
    ...change,
  });
}

function deleting(change: Partial<SyncConflict> = {}): SyncConflict {
  const { data, ...mutation } = conflict().clientMutation;
  return conflict({ kind: 'delete-update', clientMutation: { ...mutation, operation: 'delete' }, ...change });
}

function resolve(
  subject: SyncConflict,
  options: Partial<ResolverOptions> = {},
  surroundings: { localCopy?: Readonly<Record<string, string>>; round?: number } = {},
) {
  const resolver = new ConflictResolver({ strategy: lastWriteWins, ...options });
  return resolver.resolve(subject, { localCopy: surroundings.localCopy, round: surroundings.round ?? 0 });
}

test('last-write-wins keeps the later field of each side and reports the dropped one', async () => {
  expect(await resolve(conflict())).toEqual({
    do: 'write',
    operation: 'update',
    data: { status: 'done' },
    droppedFields: ['title'],
    isAutomatic: true,
  });
});

test('I8 leaves a delete to the user when what stands against it is hidden from them', async () => {
  const hidden = deleting({ conflictingFields: [], serverStamps: {}, serverRecord: {} });
  const resolutions = [manual, crdt, lastWriteWins].map((strategy) => resolve(hidden, { strategy }));
  expect(await Promise.all(resolutions)).toEqual(Array(3).fill({ do: 'park' }));
});

test('last-write-wins writes everything where the client is later', async () => {
  expect(await resolve(conflict({ serverStamps: { title: EARLIER } }))).toMatchObject({
    data: { title: 'mine', status: 'done' },
    droppedFields: [],
  });
});

test('crdt keeps what the server has in conflicting fields', async () => {
  expect(await resolve(conflict({ serverStamps: { title: EARLIER } }), { strategy: crdt })).toMatchObject({
    do: 'write',
    data: { status: 'done' },
    droppedFields: ['title'],
  });
});

test('yields when every field lost', async () => {
  const all = conflict({ conflictingFields: ['title', 'status'], serverStamps: { title: LATER, status: LATER } });
  expect(await resolve(all)).toEqual({ do: 'yield', droppedFields: ['title', 'status'] });
});

test('manual asks, and parks what nobody answers', async () => {
  const asked: unknown[] = [];
  const onConflict = (subject: SyncConflict) => {
    asked.push(subject.recordId);
    return undefined;
  };
  expect([await resolve(conflict(), { strategy: manual, onConflict }), asked]).toEqual([{ do: 'park' }, ['t1']]);
  expect(await resolve(conflict(), { strategy: manual })).toEqual({ do: 'park' });
});

test('writes only what a merged record changes in the server’s', async () => {
  const onConflict = async ({ serverRecord, clientMutation }: SyncConflict) => ({
    ...serverRecord,
    ...clientMutation.data,
    note: 'merged',
  });
  expect(await resolve(conflict(), { strategy: manual, onConflict })).toEqual({
    do: 'write',
    operation: 'update',
    data: { title: 'mine', status: 'done', note: 'merged' },
    droppedFields: [],
    isAutomatic: false,
  });
});

test('writes nothing when the merged record is the server’s', async () => {
  const onConflict = ({ serverRecord }: SyncConflict) => ({ ...serverRecord });
  expect(await resolve(conflict(), { strategy: manual, onConflict })).toEqual({ do: 'yield', droppedFields: [] });
});

test('takes nothing but a record for a merge, and nothing by accident for a choice', async () => {
  for (const merged of ['mine', 'theirs', ['a'], null, 7]) {
    // The cast hands in what JavaScript callers hand in.
    const onConflict = () => merged as unknown as Record<string, unknown>;
    await expect(resolve(conflict(), { strategy: manual, onConflict })).rejects.toThrow(
      /^What onConflict returns for a .* must be an object\. Return the merged record/,
    );
  }
});

test('uses the declared conflict fields of the client where the server declares none', async () => {
  const open = conflict({ serverStamps: { title: EARLIER } });
  expect([
    await resolve(open, { conflictFields: ['title'] }),
    await resolve(open, { conflictFields: ['due'] }),
    await resolve({ ...open, conflictFields: ['due'] }, { conflictFields: ['title'] }),
  ]).toEqual([{ do: 'park' }, expect.objectContaining({ do: 'write' }), expect.objectContaining({ do: 'write' })]);
});

test('re-creates a record from the whole local copy when the update outlives the delete', async () => {
  const localCopy = { title: 'old', status: 'open', due: 'then' };
  expect(await resolve(deleted(), {}, { localCopy })).toEqual({
    do: 'write',
    operation: 'create',
    data: { title: 'mine', status: 'done', due: 'then' },
    droppedFields: [],
    isAutomatic: true,
  });
});

test('re-creates no record of which it knows only a few fields', async () => {
  expect(await resolve(deleted())).toEqual({ do: 'park' });
});

test('lets a later delete stand and reports the edit as dropped', async () => {
  expect(await resolve(deleted({ deletedStamp: LATER }), {}, { localCopy: { title: 'old' } })).toEqual({
    do: 'yield',
    droppedFields: ['title', 'status'],
  });
});

test('deletes again when the delete outlives the update, and names what it saved when it does not', async () => {
  expect([
    await resolve(deleting({ serverStamps: { title: EARLIER } })),
    await resolve(deleting()),
    await resolve(deleting(), { strategy: manual, onConflict: () => ({ title: 'kept', status: 'open' }) }),
  ]).toEqual([
    { do: 'write', operation: 'delete', droppedFields: [], isAutomatic: true },
    { do: 'yield', droppedFields: ['title'] },
    { do: 'write', operation: 'update', data: { title: 'kept' }, droppedFields: [], isAutomatic: false },
  ]);
});

test('does not decide over again what an informed server left to the user', async () => {
  const localCopy = { title: 'old' };
  expect([
    await resolve(conflict({ strategy: 'manual' }), { strategy: lastWriteWins }),
    await resolve(conflict({ strategy: 'custom' }), { strategy: lastWriteWins }),
    await resolve(conflict({ strategy: 'last-write-wins', conflictFields: ['title'] }), { strategy: crdt }),
    await resolve(deleted({ strategy: 'last-write-wins', conflictFields: ['title'] }), {}, { localCopy }),
  ]).toEqual([{ do: 'park' }, { do: 'park' }, { do: 'park' }, { do: 'park' }]);
});

test('re-creates what an informed server could not, whatever the client’s own strategy', async () => {
  const localCopy = { title: 'old', status: 'open', due: 'then' };
  const resolution = await resolve(deleted({ strategy: 'last-write-wins' }), { strategy: manual }, { localCopy });
  expect(resolution).toMatchObject({ do: 'write', operation: 'create', data: { due: 'then', title: 'mine' } });
});

test('asks where a field that does not count was written at an unknown time, whatever the strategy', async () => {
  const { serverStamps, ...untimed } = conflict();
  const { serverStamps: _, ...untimedDelete } = deleting();
  const conflictFields = ['status'];
  for (const strategy of [crdt, manual, lastWriteWins]) {
    for (const subject of [untimed, untimedDelete]) {
      expect(await resolve(subject, { strategy, conflictFields })).toEqual({ do: 'park' });
    }
    expect(await resolve(conflict(), { strategy, conflictFields })).toMatchObject({ droppedFields: ['title'] });
  }
  expect(await resolve(untimed, { strategy: crdt, conflictFields: ['title'] })).toMatchObject({ do: 'write' });
});

test('decides nothing by time where the server’s time is unknown', async () => {
  const { serverStamps, ...untimed } = conflict();
  expect([await resolve(untimed), await resolve(untimed, { strategy: crdt })]).toEqual([
    { do: 'park' },
    expect.objectContaining({ do: 'write', droppedFields: ['title'] }),
  ]);
});

test('runs a strategy of the application’s own', async () => {
  const longest: Strategy = ({ mine, theirs, fields }) => ({
    do: 'apply',
    drop: fields.filter((field) => String(mine.data[field]).length < String(theirs.record?.[field]).length),
    merged: { decidedBy: 'length' },
  });
  expect(await resolve(conflict(), { strategy: longest })).toMatchObject({
    data: { status: 'done', decidedBy: 'length' },
    droppedFields: ['title'],
  });
});

test('parks after five automatic rounds, without asking', async () => {
  const onConflict = () => ({ title: 'again' });
  expect([
    await resolve(conflict(), { onConflict }, { round: 4 }),
    await resolve(conflict(), { onConflict }, { round: 5 }),
  ]).toEqual([expect.objectContaining({ do: 'write' }), { do: 'park' }]);
});

test('lets the user take their own, the server’s, or a record of their making', () => {
  const gone = deleted();
  expect({
    mine: resolveWith(conflict(), 'mine'),
    theirs: resolveWith(conflict(), 'theirs'),
    merged: resolveWith(conflict(), { title: 'merged', due: 'now' }),
    'my delete': resolveWith(deleting(), 'mine'),
    'mine, deleted there': resolveWith(gone, 'mine', { title: 'old', due: 'then' }),
    'merged, deleted there': resolveWith(gone, { title: 'new' }, { title: 'old', due: 'then' }),
  }).toEqual({
    mine: {
      do: 'write',
      operation: 'update',
      data: { title: 'mine', status: 'done' },
      droppedFields: [],
      isAutomatic: false,
    },
    theirs: { do: 'yield', droppedFields: ['title', 'status'] },
    merged: { do: 'write', operation: 'update', data: { title: 'merged' }, droppedFields: [], isAutomatic: false },
    'my delete': { do: 'write', operation: 'delete', droppedFields: [], isAutomatic: false },
    'mine, deleted there': {
      do: 'write',
      operation: 'create',
      data: { title: 'mine', status: 'done', due: 'then' },
      droppedFields: [],
      isAutomatic: false,
    },
    'merged, deleted there': {
      do: 'write',
      operation: 'create',
      data: { title: 'new' },
      droppedFields: [],
      isAutomatic: false,
    },
  });
});
