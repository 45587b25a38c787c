import { expect, test } from 'vitest';
import { StorageError } from '../../src/storage/storage-error.js';
import { otherCreates } from '../fixtures/two-devices.js';
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
  await otherCreates('t1', world.server);
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

for (const [how, lose] of [
  ['was closed', async ({ world, leader }: Awaited<ReturnType<typeof two>>) => world.close(leader)],
  ['lost the lead', async ({ leader }: Awaited<ReturnType<typeof two>>) => leader.host.setVisible(false)],
] as const) {
  test(`syncs for a follower that asked a leader which ${how} before it had an answer`, async () => {
    const tabs = await two();
    const { world, leader, follower } = tabs;
    leader.plugin.client.transport = {
      push: (_, options) =>
        new Promise((_, reject) => options?.signal?.addEventListener('abort', () => reject(new Error('given up')))),
    };
    const { id } = follower.tasks.records.create('t1', { title: 'one' });
    const answer = follower.tasks.sync();
    await world.advance(250);
    await lose(tabs);
    await world.advance(3000);
    expect((await answer)?.results).toEqual([expect.objectContaining({ status: 'applied', mutationId: id })]);
  });
}

test('I2 makes one mutation of a decision that is stored although its tab was told the opposite, and made it again', async () => {
  const { world, leader, follower } = await two({ config: { strategy: 'manual' } });
  await otherCreates('t1', world.server);
  const { id } = leader.tasks.records.create('t1', { title: 'mine' });
  await world.advance(1000);
  follower.storage.before('commit', async (batch) => {
    follower.storage.heal();
    await world.storage.commit(batch);
    throw new StorageError('LOCKED', 'The end is not told.');
  });
  const codes: unknown[] = [];
  for (const choice of ['mine', 'mine'] as const)
    await follower.tasks.conflicts.resolve(id, choice).catch(({ code }) => codes.push(code));
  await world.advance(5000);
  const { records } = await world.server.handler.store.page({ after: 0, limit: 10 });
  const shown = await Promise.all(world.tabs.map(async (tab) => [await tab.seen(), tab.plugin.client.status.pending]));
  expect([codes, records.map(({ version }) => version), shown]).toEqual([
    ['LOCKED', 'UNKNOWN_ID'],
    [2],
    Array(2).fill([{ t1: 'mine' }, 0]),
  ]);
});
