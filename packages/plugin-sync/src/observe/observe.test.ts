import { expect, it } from 'vitest';
import { ScriptedServer } from '../../test/fixtures/scripted-server.js';
import { TestPlatform } from '../platform/test-platform.js';
import { SyncPlugin } from '../sync-plugin.js';
import type { LiveValue } from './live-value.js';
import { observeConflicts, observeRecord, observeRecords, observeStatus } from './observe.js';

function client() {
  const platform = new TestPlatform();
  const server = new ScriptedServer(platform);
  const sync = new SyncPlugin({ clientId: 'page', transport: server, platform });
  return { sync, tasks: sync.getEngine('task'), platform };
}

/** Resolves when the value is told next. */
function nextOf<Value>(value: LiveValue<Value>): Promise<Value> {
  return new Promise((resolve) => {
    const stop = value.subscribe(() => {
      stop();
      resolve(value.getSnapshot());
    });
  });
}

it('gives a plain page the records in the order of their ids, numbers first', async () => {
  const { sync, tasks } = client();
  for (const id of ['b', 10, 'a', 9]) tasks.records.create(id, {});
  const records = observeRecords(sync, 'task');
  expect(records.getSnapshot()).toBeUndefined();
  expect((await nextOf(records))?.map(({ recordId }) => recordId)).toEqual([9, 10, 'a', 'b']);
  await sync.close();
});

it('shows of a list that its last record is gone, and all others as the same objects', async () => {
  const { sync, tasks } = client();
  for (const id of ['a', 'b', 'c']) tasks.records.create(id, {});
  const records = observeRecords(sync, 'task');
  const before = await nextOf(records);
  const stop = records.subscribe(() => {});
  await tasks.records.delete('c');
  await expect.poll(() => records.getSnapshot()?.map(({ recordId }) => recordId)).toEqual(['a', 'b']);
  expect(records.getSnapshot()?.map((record, index) => record === before?.[index])).toEqual([true, true]);
  stop();
  await sync.close();
});

it('tells each subscriber of each change, and none that has stopped', async () => {
  const { sync, tasks } = client();
  const record = observeRecord(sync, { objectName: 'task', recordId: 'a' });
  const heard: string[] = [];
  const note = () => void heard.push(JSON.stringify(record.getSnapshot()?.data ?? null));
  const stopFirst = record.subscribe(note);
  const stopSecond = record.subscribe(note);
  await expect.poll(() => heard).toEqual(['null', 'null']);
  stopFirst();
  stopFirst();
  tasks.records.create('a', { title: 'A' });
  await expect.poll(() => heard).toEqual(['null', 'null', '{"title":"A"}']);
  stopSecond();
  await tasks.records.update('a', { title: 'B' });
  await tasks.sync();
  expect(heard.length).toBe(3);
  await sync.close();
});

it('tells each subscriber though another one throws, and none that another one has stopped', async () => {
  const { sync, tasks } = client();
  const errors: string[] = [];
  sync.client.listeners.add({ onSyncError: ({ message }) => void errors.push(message) });
  const record = observeRecord(sync, { objectName: 'task', recordId: 'a' });
  const heard: string[] = [];
  let stopSecond = () => {};
  record.subscribe(() => {
    heard.push('first');
    stopSecond();
    throw new Error('cannot render');
  });
  stopSecond = record.subscribe(() => void heard.push('second'));
  record.subscribe(() => void heard.push('third'));
  tasks.records.create('a', {});
  await expect.poll(() => heard).toEqual(['first', 'third']);
  expect(errors).toEqual(['cannot render']);
  await sync.close();
});

it('tells onSyncError of listeners that reject', async () => {
  const { sync, tasks } = client();
  const errors: string[] = [];
  sync.client.listeners.add({ onSyncError: ({ message }) => void errors.push(message) });
  const values = { record: observeRecord(sync, { objectName: 'task', recordId: 'a' }), status: observeStatus(sync) };
  for (const [name, value] of Object.entries(values)) {
    value.subscribe(async () => {
      throw new Error(name);
    });
  }
  tasks.records.create('a', {});
  await expect.poll(() => [...new Set(errors)].sort()).toEqual(['record', 'status']);
  await sync.close();
});

it('knows the status without a subscriber, as the same object until it changes', async () => {
  const { sync, tasks } = client();
  const status = observeStatus(sync);
  const before = status.getSnapshot();
  expect(status.getSnapshot()).toBe(before);
  tasks.records.create('a', {});
  expect(status.getSnapshot()).toMatchObject({ state: 'waiting', pending: 1 });
  expect(status.getServerSnapshot()).toEqual(before);
  await sync.close();
});

it('has an empty list that stays the same list', () => {
  const { sync } = client();
  const conflicts = observeConflicts(sync);
  expect(conflicts.getSnapshot()).toBe(conflicts.getSnapshot());
  expect(conflicts.getSnapshot()).toBe(conflicts.getServerSnapshot());
});
