/** What the app has written and the server refuses. */
import { MemoryStorage } from '@objectql/plugin-sync';
import { SyncHandler } from '@objectql/protocol-sync';
import { expect, it } from 'vitest';
import { changeTitle, passing, startDevice, system } from './local-device.fixture.js';

/** A storage that fails to read single records as often as it is told. */
class BusyStorage extends MemoryStorage {
  busyFor = 0;

  override async getRecords(...asked: Parameters<MemoryStorage['getRecords']>) {
    if (this.busyFor-- > 0) throw new Error('The storage is busy.');
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

it.each([
  ['create', 'nothing else is written'],
  ['delete', 'nothing else is written'],
  ['create', 'another object is written'],
  ['delete', 'another object is written'],
])(
  'I4 takes back a %s that the server refuses before the client could read what it shows, where %s meanwhile',
  async (operation, what) => {
    const server = new SyncHandler({ authorize: { write: ({ mutation }) => mutation.operation !== operation } });
    await changeTitle(server, 'Buy milk');
    const storage = new BusyStorage();
    const recordId = operation === 'create' ? 't2' : 't1';
    let compared = () => {};
    const watch = passing('watch', async ({ object, ast }, next) => {
      await next();
      const asked = Object(Object(ast).where).record_id;
      if (object === 'objectstack_sync_known' && Object(asked).$in?.includes(recordId)) compared();
    });
    const device = await startDevice(server, { name: 'a', storage, plugins: [watch], synced: ['task', 'sys_file'] });
    const { engine, sync, tasks, exchange, failures, network } = device;
    await exchange();
    const before = await tasks();
    network.isOffline = true;
    storage.busyFor = 1;
    if (operation === 'create') await engine.insert('task', { id: 't2', title: 'Buy bread' }, system);
    else await engine.delete('task', { where: { id: 't1' }, ...system });
    if (what === 'another object is written') {
      const isCompared = new Promise<void>((resolve) => {
        compared = resolve;
      });
      await engine.insert('sys_file', { id: 'f1' }, system);
      await isCompared;
    }
    network.isOffline = false;
    await exchange();
    expect(failures).toContain('The storage is busy.');
    expect(await tasks()).toEqual(before);
    expect(sync.client.deadLetters.list().map(({ mutation }) => mutation.recordId)).toContain(recordId);
  },
);
