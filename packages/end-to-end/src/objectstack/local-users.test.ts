import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FileStorage } from '@objectql/plugin-sync/file';
import { FaultStorage, TestPlatform } from '@objectql/plugin-sync/testing';
import { SyncHandler } from '@objectql/protocol-sync';
import { expect, it } from 'vitest';
import { startDevice, system, temporaryDirectory, titlesAt } from './local-device.fixture.js';

it('takes no write of another user, whose work it would become', async () => {
  const server = new SyncHandler();
  const directory = temporaryDirectory();
  const anne = await startDevice(server, { name: 'a', user: 'anne', directory });
  await anne.engine.insert('task', { id: 't1', title: 'of Anne' }, system);
  await anne.stop();
  await anne.local.destroy();
  const bert = await startDevice(server, { name: 'a', user: 'bert', directory });
  const write = () => bert.engine.insert('task', { id: 't2', title: 'of Bert' }, system);
  await expect(write()).rejects.toMatchObject({ code: 'WRONG_USER' });
  await bert.local.destroy();
  await Promise.allSettled([bert.sync.destroy()]);
  await expect(write()).rejects.toMatchObject({ code: 'WRONG_USER' });
});

it('takes no write of another user whose storage opened as late as when sync ended', async () => {
  const server = new SyncHandler();
  const directory = temporaryDirectory();
  const anne = await startDevice(server, { name: 'a', user: 'anne', directory });
  await anne.exchange();
  await anne.stop();
  const storage = new FaultStorage(new FileStorage(join(directory, 'sync')));
  storage.fail('load', new Error('The disk is busy.'));
  const platform = new TestPlatform();
  const bert = await startDevice(server, { name: 'a', user: 'bert', directory, storage, platform });
  storage.before('load', () => nextTurn());
  await bert.local.destroy();
  await Promise.allSettled([bert.sync.destroy()]);
  const written = bert.engine.insert('task', { id: 't2', title: 'of Bert' }, system);
  await expect(written).rejects.toMatchObject({ code: 'WRONG_USER' });
});

it('records nothing that was in the engine before sync for another user', async () => {
  const server = new SyncHandler();
  const directory = temporaryDirectory();
  const first = await startDevice(server, { name: 'a', user: 'anne', directory });
  await first.exchange();
  await first.stop();
  const before = await startDevice(server, { name: 'a', directory, isSynced: false });
  await before.engine.insert('task', { id: 't1', title: 'taken back later' }, system);
  await before.engine.insert('task', { id: 't2', title: 'stays' }, system);
  await before.stop();
  await (await startDevice(server, { name: 'a', user: 'bert', directory })).stop();
  const after = await startDevice(server, { name: 'a', directory, isSynced: false });
  await after.engine.delete('task', { ...system, where: { id: 't1' } });
  await after.stop();
  const anne = await startDevice(server, { name: 'a', user: 'anne', directory });
  await anne.exchange();
  expect([await titlesAt(server), await anne.tasks()]).toEqual([{ t2: 'stays' }, { t2: 'stays (new)' }]);
});

it('sends no write that waits in the engine as the work of who uses it next', async () => {
  const server = new SyncHandler();
  const directory = temporaryDirectory();
  const anne = await startDevice(server, { name: 'a', user: 'anne', directory });
  // What is written from here on is noted, and recorded at the next start.
  await anne.local.destroy();
  await anne.engine.insert('task', { id: 't1', title: 'of Anne' }, system);
  await anne.stop();
  const storage = new FileStorage(join(directory, 'sync of Bert'));
  const bert = await startDevice(server, { name: 'b', user: 'bert', directory, storage });
  await bert.engine.insert('task', { id: 't2', title: 'of Bert' }, system);
  // It waits behind the other of its record, without which the server could not take it.
  await bert.engine.update('task', { id: 't1', status: 'done' }, system);
  await bert.exchange();
  expect(bert.sync.client.deadLetters.list()).toEqual([]);
  expect([await titlesAt(server), new Set(bert.failures)]).toEqual([
    { t2: 'of Bert' },
    new Set(['What another user changed of task t1 waits here. Open an engine database of its own for each user.']),
  ]);
  await bert.stop();
  const again = await startDevice(server, { name: 'a', user: 'anne', directory });
  await again.exchange();
  expect(await titlesAt(server)).toEqual({ t1: 'of Anne', t2: 'of Bert' });
});
