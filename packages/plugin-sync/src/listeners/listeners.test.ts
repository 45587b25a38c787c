import type { SyncServerChange } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import { TestPlatform } from '../platform/test-platform.js';
import { LISTENER_TIMEOUT_MS, Listeners } from './listeners.js';

function setUp() {
  const platform = new TestPlatform();
  const errors: string[] = [];
  const listeners = new Listeners(platform, (error) => errors.push(error.message));
  return { platform, errors, listeners };
}

const change = (objectName: string): SyncServerChange => ({
  objectName,
  recordId: 'r',
  operation: 'delete',
  serverVersion: 1,
  timestamp: '2026-01-01T00:00:00.000Z',
});

test('goes on to the next listener when one throws or rejects, and tells the error', async () => {
  const { errors, listeners } = setUp();
  const heard: string[] = [];
  listeners.add({
    onSyncStart: () => {
      throw new Error('thrown');
    },
  });
  listeners.add({ onSyncStart: () => Promise.reject(new Error('rejected')) });
  listeners.add({
    onSyncStart: () => void heard.push('start'),
    onSyncError: ({ message }) => void heard.push(message),
  });
  listeners.tell('onSyncStart', undefined);
  await Promise.resolve();
  await Promise.resolve();
  expect([heard, errors]).toEqual([
    ['thrown', 'start', 'rejected'],
    ['thrown', 'rejected'],
  ]);
});

test('never swallows an error silently, not even that of a listener for errors', () => {
  const { errors, listeners } = setUp();
  listeners.add({
    onSyncError: () => {
      throw new Error('of the listener');
    },
  });
  listeners.report('no Error object');
  expect(errors).toEqual(['no Error object', 'of the listener']);
});

test('tells the listener of one object that object’s events only', async () => {
  const { listeners } = setUp();
  const heard: string[] = [];
  const note = (name: string) => ({
    onServerChanges: (changes: readonly SyncServerChange[]) =>
      void heard.push(`${name}: ${changes.map(({ objectName }) => objectName)}`),
  });
  listeners.add(note('all'));
  listeners.add(note('task'), 'task');
  listeners.add(note('note'), 'note');
  await listeners.serverChanges([change('task'), change('project')]);
  expect(heard).toEqual(['all: task,project', 'task: task']);
});

test('hands over what a listener may change, which changes nothing for anybody else', async () => {
  const { listeners } = setUp();
  const changes = [change('task'), change('project')];
  const heard: unknown[] = [];
  listeners.add({
    onServerChanges(told) {
      const own = told as unknown as { recordId: unknown }[];
      for (const item of own) item.recordId = 'changed';
      own.length = 1;
    },
  });
  listeners.add({ onServerChanges: (told) => void heard.push(...told) });
  await listeners.serverChanges(changes);
  const untouched = [change('task'), change('project')];
  expect([heard, changes]).toEqual([untouched, untouched]);
});

test('tells nothing more to a listener that was removed', () => {
  const { listeners } = setUp();
  const heard: string[] = [];
  const listener = { onSyncStart: () => void heard.push('start') };
  listeners.add(listener);
  listeners.add(listener, 'task');
  listeners.remove(listener);
  listeners.tell('onSyncStart', undefined);
  expect(heard).toEqual(['start']);
});

test('waits for listeners for server changes one after another, and fails with the first that fails', async () => {
  const { listeners } = setUp();
  const heard: string[] = [];
  listeners.add({
    onServerChanges: async () => {
      await Promise.resolve();
      heard.push('first');
    },
  });
  listeners.add({ onServerChanges: () => Promise.reject(new Error('cannot store')) });
  listeners.add({ onServerChanges: () => void heard.push('third') });
  await expect(listeners.serverChanges([change('task')])).rejects.toThrow('cannot store');
  expect(heard).toEqual(['first']);
});

test('gives up waiting for a listener that never ends', async () => {
  const { listeners, platform } = setUp();
  listeners.add({ onServerChanges: () => new Promise(() => {}) });
  const handed = listeners.serverChanges([change('task')]);
  const failure = expect(handed).rejects.toThrow('did not end within 60000 ms');
  await platform.advance(LISTENER_TIMEOUT_MS);
  await failure;
});
