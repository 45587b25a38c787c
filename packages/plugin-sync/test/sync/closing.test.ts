/** What closing a client leaves: everything durable, nobody waiting, and no timer. */
import type { SyncConflict } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import { type Device, device } from '../fixtures/device.js';
import { appliesWith, change, conflicts, hangs, isGone } from '../fixtures/scripted-server.js';

test('closes for good: ends the request, keeps what was recorded, and leaves no timer', async () => {
  const { edit, tasks, platform, storage, server } = device({ otherwise: hangs });
  const outcome = expect(tasks.settled(edit('t1').id)).rejects.toMatchObject({ code: 'CLOSED' });
  await platform.advance(2000);
  edit('t2');
  await tasks.close();
  await outcome;
  const stored = (await storage.load()).entries.map(({ mutation }) => mutation.recordId);
  expect([stored, platform.pendingTimersMs, tasks.status.state]).toEqual([['t1', 't2'], [], 'closed']);
  expect(() => tasks.records.create('t3', {})).toThrow('The client is closed');
  expect(() => edit()).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  expect([await tasks.sync(), server.requests.length]).toEqual([null, 1]);
});

test('I1 records the change that was asked for before it was closed', async () => {
  const { tasks, storage } = device();
  const { records } = tasks;
  records.create('t1', { title: 'First' });
  const changed = records.update('t1', { title: 'Last words' });
  await tasks.close();
  const { entries } = await storage.load();
  expect(entries.map(({ mutation }) => mutation.data?.title)).toEqual(['First', 'Last words']);
  expect((await changed).data).toEqual({ title: 'Last words' });
});

test('says so when what was recorded could not be made durable', async () => {
  const { edit, tasks, storage } = device();
  storage.fail('commit', new Error('The disk is full.'));
  edit();
  await expect(tasks.close()).rejects.toThrow('The disk is full.');
});

test('closes without a failure where nothing is to be stored, though the storage never opened', async () => {
  const { tasks, heard, storage } = device();
  storage.fail('load', new Error('The browser keeps no data for this site.'));
  await tasks.sync();
  await tasks.close();
  expect([heard, tasks.status.state]).toEqual([['error: The browser keeps no data for this site.'], 'closed']);
});

test('is closed for everyone who asked for it', async () => {
  const { edit, tasks, storage } = device();
  edit();
  const first = tasks.close();
  await tasks.close();
  expect((await storage.load()).entries.length).toBe(1);
  await first;
});

test('closes also while a callback of the application never answers', async () => {
  const { tasks, platform } = device({
    otherwise: () => ({ serverChanges: [change('theirs')] }),
    listeners: [{ onServerChanges: () => new Promise(() => {}) }],
  });
  void tasks.sync();
  await platform.advance(0);
  let isClosed = false;
  void tasks.close().then(() => {
    isClosed = true;
  });
  await platform.advance(120_000);
  expect(isClosed).toBe(true);
});

test('I1 a callback that never answers does not keep a client from closing, and the conflict is met again', async () => {
  const asked: unknown[] = [];
  const onConflict = ({ recordId }: SyncConflict) => {
    asked.push(recordId);
    return new Promise<never>(() => {});
  };
  const first = device({ otherwise: conflicts(), config: { strategy: 'manual' }, onConflict });
  for (const id of ['t1', 't2']) first.tasks.records.create(id, { title: id });
  const syncing = first.tasks.sync();
  await first.platform.advance(0);
  let isClosed = false;
  const closing = first.plugin.close().then(() => {
    isClosed = true;
  });
  await first.platform.advance(0);
  expect([isClosed, asked, first.heard]).toEqual([true, ['t1'], ['start']]);
  await Promise.all([closing, syncing]);

  const second = device({ transport: first.server, storage: first.storage, config: { strategy: 'manual' } });
  await second.tasks.sync();
  expect(second.tasks.conflicts.list().map(({ conflict }) => conflict.recordId)).toEqual(['t1', 't2']);
});

test('lets a listener for server changes close the client and wait for it, and takes the changes at the next start', async () => {
  const first: Device = device({
    otherwise: appliesWith({ serverChanges: [change('t1')], checkpoint: 'c1' }),
    listeners: [{ onServerChanges: () => first.tasks.close() }],
  });
  expect(await first.tasks.sync()).toBeNull();
  const next = device({ transport: first.server, storage: first.storage });
  expect([await next.seen(), next.tasks.getCheckpoint()]).toEqual([{}, null]);
  await next.tasks.sync();
  expect([await next.seen(), next.tasks.getCheckpoint()]).toEqual([{ t1: 't1' }, 'c1']);
});

test('lets a listener that is called while the client closes wait for the close', async () => {
  let closing: Promise<void> | undefined;
  const first: Device = device({
    otherwise: appliesWith({ serverChanges: [change('t1')] }),
    listeners: [
      {
        onServerChanges: () => {
          closing = first.tasks.close();
        },
      },
      { onServerChanges: () => first.tasks.close() },
    ],
  });
  await first.tasks.sync();
  await closing;
  const next = device({ transport: first.server, storage: first.storage });
  expect([await next.seen(), next.tasks.getCheckpoint(), first.platform.pendingTimersMs]).toEqual([{}, null, []]);
});

test('leaves nobody waiting for an outcome', async () => {
  const { edit, tasks, platform } = device({ otherwise: isGone });
  const { id } = edit();
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  void tasks.settled(id).then(over, over);
  await platform.advance(0);
  await tasks.close();
  await platform.advance(0);
  expect(isOver).toBe(true);
});

test('leaves nobody waiting who asks for an outcome too late to learn it', async () => {
  const { edit, tasks, platform } = device({ otherwise: isGone });
  const { id } = edit();
  const codes: string[] = [];
  const ask = () => void tasks.settled(id).catch(({ code }) => codes.push(code));
  // The storage is still being opened.
  ask();
  await tasks.close();
  ask();
  await platform.advance(0);
  expect(codes).toEqual(['CLOSED', 'CLOSED']);
});

test('closes an engine whose block is left', async () => {
  const { tasks, storage } = device({ otherwise: isGone });
  {
    await using scope = tasks;
    scope.recordMutation({ objectName: 'task', recordId: 1, operation: 'create', data: {}, baseVersion: null });
  }
  expect((await storage.load()).entries.length).toBe(1);
});
