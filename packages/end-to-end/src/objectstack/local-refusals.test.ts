/** What the app has written and the server refuses. */
import { MemoryStorage } from '@objectql/plugin-sync';
import { SyncHandler } from '@objectql/protocol-sync';
import { expect, it } from 'vitest';
import { changeTitle, startDevice, system } from './local-device.fixture.js';

/** A storage that can read no single record for a while. */
class BusyStorage extends MemoryStorage {
  isBusy = false;

  override async getRecords(...asked: Parameters<MemoryStorage['getRecords']>) {
    if (this.isBusy) throw new Error('The storage is busy.');
    return super.getRecords(...asked);
  }
}

it('takes back what the server refuses, and keeps it in the dead letters', async () => {
  const server = new SyncHandler({ authorize: { write: ({ mutation }) => mutation.data?.title !== 'forbidden' } });
  const a = await startDevice(server, { name: 'a' });
  await a.engine.insert('task', { id: 't1', title: 'allowed' }, system);
  await a.exchange();
  await a.engine.update('task', { id: 't1', title: 'forbidden' }, system);
  await a.engine.insert('task', { id: 't2', title: 'forbidden' }, system);
  await a.exchange();
  expect(await a.tasks()).toEqual({ t1: 'allowed (new)' });
  expect(a.sync.client.deadLetters.list().map(({ mutation, code }) => [mutation.recordId, code])).toEqual([
    ['t1', 'FORBIDDEN'],
    ['t2', 'FORBIDDEN'],
  ]);
});

it.each(['create', 'delete'] as const)(
  'I4 takes back a %s that the server refuses before the client has seen it, as when it could not be read',
  async (operation) => {
    const server = new SyncHandler({ authorize: { write: ({ mutation }) => mutation.operation !== operation } });
    await changeTitle(server, 'Buy milk');
    const storage = new BusyStorage();
    const { engine, sync, tasks, exchange, failures } = await startDevice(server, { name: 'a', storage });
    await exchange();
    const before = await tasks();
    sync.client.transport = {
      push(request) {
        storage.isBusy = false;
        return server.handlePush(request);
      },
    };
    storage.isBusy = true;
    if (operation === 'create') await engine.insert('task', { id: 't2', title: 'Buy bread' }, system);
    else await engine.delete('task', { where: { id: 't1' }, ...system });
    await exchange();
    expect([failures, sync.client.status.deadLetters, await tasks()]).toEqual([['The storage is busy.'], 1, before]);
  },
);
