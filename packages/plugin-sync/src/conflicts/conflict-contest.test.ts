import type { SyncConflict, SyncServerChange } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import { sampleMutation } from '../storage/contract/storage-samples.js';
import { completeConflict, isTimed } from './conflict-contest.js';

const mutation = sampleMutation({
  recordId: 't1',
  data: { title: 'mine' },
  timestamp: '2026-01-01T00:00:02.000Z',
  sequence: 3,
  baseVersion: 4,
});

const protocol1: SyncConflict = {
  objectName: 'task',
  recordId: 't1',
  clientMutation: mutation,
  serverRecord: { title: 'theirs' },
  conflictingFields: ['title'],
};

const change: SyncServerChange = {
  objectName: 'task',
  recordId: 't1',
  operation: 'update',
  data: { title: 'theirs' },
  serverVersion: 6,
  timestamp: '2026-01-01T00:00:01.000Z',
};

test('takes what a protocol-2 server says as it is', () => {
  const stamps = { clientStamp: { time: 1, logId: 'a', sequence: 1 }, serverStamps: {} };
  const reported: SyncConflict = { ...protocol1, kind: 'create-create', serverVersion: 9, ...stamps };
  expect(completeConflict(reported, { serverChanges: [change], base: undefined })).toBe(reported);
});

test('fills in what a protocol-1 server leaves out from the change that came along', () => {
  const conflict = completeConflict(protocol1, { serverChanges: [change], base: undefined });
  expect(conflict).toEqual({
    ...protocol1,
    kind: 'update-update',
    serverVersion: 6,
    clientStamp: { time: Date.UTC(2026, 0, 1, 0, 0, 2), logId: 'device-1', sequence: 3 },
    serverStamps: { title: { time: Date.UTC(2026, 0, 1, 0, 0, 1), logId: '', sequence: 0 } },
  });
  expect(isTimed(conflict)).toBe(true);
});

test('leaves the time unknown where no change came along, and takes the version it has', () => {
  const base = { objectName: 'task', recordId: 't1', version: 5, data: {}, walk: null };
  const conflict = completeConflict(protocol1, { serverChanges: [], base });
  expect([conflict.serverVersion, isTimed(conflict)]).toEqual([5, false]);
});

test('tells what met what from the operations', () => {
  const kindOf = (operation: 'create' | 'update' | 'delete', serverRecord: SyncConflict['serverRecord']) => {
    const reported = { ...protocol1, clientMutation: { ...mutation, operation }, serverRecord };
    return completeConflict(reported, { serverChanges: [], base: undefined }).kind;
  };
  expect([kindOf('create', {}), kindOf('update', {}), kindOf('delete', {}), kindOf('update', null)]).toEqual([
    'create-create',
    'update-update',
    'delete-update',
    'update-delete',
  ]);
});
