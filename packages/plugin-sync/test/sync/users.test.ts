/** One storage holds the work of one user. */
import { expect, test } from 'vitest';
import { TestPlatform } from '../../src/platform/test-platform.js';
import { device } from '../fixtures/device.js';
import { refuses } from '../fixtures/scripted-server.js';

test('I1 neither shows nor sends nor mixes the work of another user', async () => {
  const ada = device({ user: 'ada' });
  const { server, storage } = ada;
  ada.tasks.records.create('t1', { title: 'ada’s' });
  await ada.tasks.flush();
  ada.tasks.pause();

  const bob = device({ transport: server, storage, user: 'bob', platform: new TestPlatform({ seed: 2 }) });
  expect(await bob.tasks.sync()).toBeNull();
  expect([server.requests.length, bob.tasks.status]).toEqual([
    0,
    expect.objectContaining({ state: 'needs-auth', why: 'wrong-user', attention: true, pending: 0 }),
  ]);
  await expect(bob.tasks.records.list()).rejects.toMatchObject({ code: 'WRONG_USER' });
  expect(() => bob.tasks.records.create('t2', {})).toThrow('This storage holds the work of another user');
  expect((await storage.load()).entries.map(({ mutation }) => mutation.data)).toEqual([{ title: 'ada’s' }]);

  const again = device({ transport: server, storage, user: 'ada', platform: new TestPlatform({ seed: 3 }) });
  await again.tasks.sync();
  expect([server.requests.length, again.tasks.status.pending]).toEqual([1, 0]);
});

test('a storage without a user becomes that of the first who says so', async () => {
  const nobody = device();
  nobody.tasks.records.create('t1', { title: 'x' });
  await nobody.tasks.sync();
  nobody.tasks.pause();
  const next = { transport: nobody.server, storage: nobody.storage };
  const ada = device({ ...next, user: 'ada', platform: new TestPlatform({ seed: 2 }) });
  await ada.tasks.sync();
  ada.tasks.pause();
  const bob = device({ ...next, user: 'bob', platform: new TestPlatform({ seed: 3 }) });
  await bob.tasks.sync();
  expect(bob.tasks.status).toMatchObject({ state: 'needs-auth', why: 'wrong-user' });
});

test('I1 neither changes another user’s storage nor loses silently what was recorded meanwhile', async () => {
  const alice = device({ user: 'alice', otherwise: refuses(500) });
  alice.edit();
  await alice.tasks.flush();
  const stored = await alice.storage.load();

  const bob = device({ user: 'bob', storage: alice.storage });
  bob.edit('t2');
  await bob.tasks.sync();
  await expect(bob.tasks.flush()).rejects.toMatchObject({ code: 'WRONG_USER' });

  const { state, pending } = bob.tasks.status;
  expect({ state, pending, requests: bob.server.requests.length, stored: await alice.storage.load() }).toEqual({
    state: 'needs-auth',
    pending: 1,
    requests: 0,
    stored,
  });
});
