import type { SyncConflict } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import type { StoredEntry } from '../storage/client-storage.js';
import { sampleMutation } from '../storage/contract/storage-samples.js';
import { followUpOf, type Write } from './follow-up.js';

const mutation = sampleMutation({
  id: 'm1',
  recordId: 't1',
  data: { title: 'mine', status: 'done' },
  timestamp: '2026-01-01T00:00:02.000Z',
  baseVersion: 4,
});

const conflict: SyncConflict = {
  objectName: 'task',
  recordId: 't1',
  clientMutation: mutation,
  serverRecord: { title: 'theirs' },
  conflictingFields: ['title'],
  serverVersion: 6,
};

const write: Write = {
  do: 'write',
  operation: 'update',
  data: { title: 'mine', status: 'done' },
  droppedFields: [],
  isAutomatic: true,
};

function later(operation: 'create' | 'update' | 'delete', data?: Readonly<Record<string, string>>): StoredEntry {
  const { data: _, ...rest } = mutation;
  const own = { ...rest, id: 'm2', sequence: 2, operation, ...(data ? { data } : {}) };
  return { mutation: own, round: 0, tries: 0 };
}

test('stands on what the server has, with the time of the change it stands for', () => {
  expect(followUpOf(conflict, write, { round: 1, later: [] })).toEqual({
    input: {
      objectName: 'task',
      recordId: 't1',
      operation: 'update',
      data: { title: 'mine', status: 'done' },
      baseVersion: 6,
    },
    round: 1,
    timestamp: '2026-01-01T00:00:02.000Z',
  });
});

test('has the time of the decision where a person decided', () => {
  expect(followUpOf(conflict, { ...write, isAutomatic: false }, { round: 1, later: [] })).not.toHaveProperty(
    'timestamp',
  );
});

test('leaves out what the user has changed again since', () => {
  const entries = [later('update', { title: 'newer' })];
  expect(followUpOf(conflict, write, { round: 1, later: entries })?.input.data).toEqual({ status: 'done' });
});

test('is not needed when the user has since changed all of it, or deleted or created the record', () => {
  const overtaken = [
    [later('update', { title: 'newer' }), later('update', { status: 'newer' })],
    [later('delete')],
    [later('create', { title: 'again' })],
  ];
  expect(overtaken.map((entries) => followUpOf(conflict, write, { round: 1, later: entries }))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('re-creates the whole record, what the user has changed since included', () => {
  const recreation: Write = { ...write, operation: 'create', data: { title: 'newer', due: 'then' } };
  const entries = [later('update', { title: 'newer' })];
  const deleted = { ...conflict, serverRecord: null };
  expect(followUpOf(deleted, recreation, { round: 1, later: entries })?.input).toMatchObject({
    operation: 'create',
    data: { title: 'newer', due: 'then' },
  });
});

test('copies what the application merged, and refuses what cannot be stored', () => {
  const merged = { tags: ['a'] };
  const made = followUpOf(conflict, { ...write, data: merged }, { round: 1, later: [] });
  merged.tags.push('b');
  expect(made?.input.data).toEqual({ tags: ['a'] });
  expect(() => followUpOf(conflict, { ...write, data: { due: new Date(0) } }, { round: 1, later: [] })).toThrow(
    'data.due is a Date',
  );
});
