/** Which version of a record the user of a local engine has seen, and so what their writes meet as a conflict. */
import { SyncHandler } from '@objectql/protocol-sync';
import { expect, it, vi } from 'vitest';
import { changeTitle, failing, startDevice, system, titlesAt } from './local-device.fixture.js';

// ObjectStack takes seconds to load on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

it('I8 meets as a conflict what the engine did not show yet when its user wrote', async () => {
  const server = new SyncHandler({ strategy: 'manual' });
  const change = (title: string) => changeTitle(server, title);
  await change('Buy milk');
  const slow = failing(({ data }) => Object(data).title === 'Theirs');
  const a = await startDevice(server, { name: 'a', plugins: [slow] });
  await a.exchange();
  await a.engine.update('task', { id: 't1', status: 'begun' }, system);
  await a.exchange();
  await change('Theirs');
  await a.exchange();
  await a.engine.update('task', { id: 't1', title: 'Mine' }, system);
  await a.exchange();
  const parked = a.sync.client.conflicts.list().map(({ conflict }) => [conflict.conflictingFields, conflict.kind]);
  expect([parked, await titlesAt(server)]).toEqual([[[['title'], 'update-update']], { t1: 'Theirs' }]);
});

it('I8 meets no conflict with what the engine did not show yet in other fields than its user wrote', async () => {
  const server = new SyncHandler({ strategy: 'manual' });
  await changeTitle(server, 'Buy milk');
  const slow = failing(({ data }) => Object(data).title === 'Theirs');
  const a = await startDevice(server, { name: 'a', plugins: [slow] });
  await a.exchange();
  await changeTitle(server, 'Theirs');
  await a.exchange();
  await a.engine.update('task', { id: 't1', status: 'done' }, system);
  await a.exchange();
  const { serverChanges } = await server.handlePull({ clientId: 'x', lastCheckpoint: null });
  expect(serverChanges.map(({ data }) => data)).toEqual([{ title: 'Theirs', status: 'done' }]);
  expect(a.sync.client.conflicts.list()).toEqual([]);
});

it('I8 meets no conflict with what others changed and took back before its user wrote', async () => {
  const server = new SyncHandler({ strategy: 'manual' });
  await changeTitle(server, 'Buy milk');
  const a = await startDevice(server, { name: 'a' });
  await a.exchange();
  for (const title of ['Theirs', 'Buy milk']) await changeTitle(server, title);
  await a.exchange();
  await a.engine.update('task', { id: 't1', title: 'Mine' }, system);
  await a.exchange();
  expect([await titlesAt(server), a.sync.client.conflicts.list()]).toEqual([{ t1: 'Mine' }, []]);
});
