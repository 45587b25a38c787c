import { expect, test } from 'vitest';
import { StorageError } from '../../src/storage/storage-error.js';
import { otherDevice } from '../fixtures/two-devices.js';
import { refuse, two } from './tabs.js';

test('waits in a follower for the outcome of what its storage did not take at once', async () => {
  const { world, follower } = await two();
  refuse(follower, new StorageError('FULL', 'disk full'));
  const { id } = follower.tasks.records.create('t1', { title: 'one' });
  const outcome = follower.tasks.settled(id).catch((error: unknown) => error);
  await world.advance(1000);
  follower.storage.heal();
  await world.advance(60_000);
  expect(await outcome).toEqual({ status: 'applied', version: 1, droppedFields: [] });
});

test('tells a follower that asks at once what becomes of its mutation after a conflict', async () => {
  const { world, follower } = await two({ config: { strategy: 'manual' }, onConflict: () => ({ title: 'merged' }) });
  const other = otherDevice(world.server);
  other.tasks.records.create('t1', { title: 'theirs' });
  await other.tasks.sync();
  const { id } = follower.tasks.records.create('t1', { title: 'mine' });
  const outcome = follower.tasks.settled(id).catch((error: unknown) => error);
  await world.advance(5000);
  expect(await outcome).toEqual({ status: 'applied', version: 2, droppedFields: [] });
});

test('tells one tab of several what it asks for, and still when a tab leads that was opened after it', async () => {
  const { world, leader, follower } = await two();
  const asking = world.open();
  await world.advance(250);
  const ids: string[] = [];
  for (const recordId of ['t1', 't2', 't3']) {
    const { id } = asking.tasks.records.create(recordId, { title: 'one' });
    const answer = await asking.tasks.sync();
    expect(answer?.results.map(({ mutationId }) => mutationId)).toEqual([id]);
    ids.push(id);
    // The next ones are told by a tab that was itself told of the first.
    if (recordId === 't1') world.crash(leader);
    await world.advance(1000);
  }
  const younger = world.open();
  for (const { host } of [follower, asking]) host.setVisible(false);
  await world.advance(5000);
  await younger.tasks.sync();
  expect(younger.connection.requests.length).toBeGreaterThan(0);
  const outcomes = await Promise.all(ids.map((id) => asking.tasks.settled(id)));
  expect(outcomes).toEqual(Array(3).fill({ status: 'applied', version: 1, droppedFields: [] }));
  await expect(asking.tasks.settled('nobody')).rejects.toMatchObject({ code: 'UNKNOWN_ID' });
});

test('syncs for a follower that asked a leader which was closed before it had an answer', async () => {
  const { world, leader, follower } = await two();
  leader.plugin.client.transport = {
    push: (_, options) =>
      new Promise((_, reject) => options?.signal?.addEventListener('abort', () => reject(new Error('given up')))),
  };
  const { id } = follower.tasks.records.create('t1', { title: 'one' });
  const answer = follower.tasks.sync();
  await world.advance(250);
  await world.close(leader);
  await world.advance(1000);
  expect((await answer)?.results).toEqual([expect.objectContaining({ status: 'applied', mutationId: id })]);
});
