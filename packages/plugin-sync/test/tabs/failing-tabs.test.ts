import { expect, test } from 'vitest';
import type { TabHost } from '../../src/platform/tab-host.js';
import { StorageError } from '../../src/storage/storage-error.js';
import { sharedTabs } from '../../src/tabs/shared-tabs.js';
import { groupName } from '../../src/tabs/tab-message.js';
import { otherCreates } from '../fixtures/two-devices.js';
import { openTabs, pick, refuse, type Tab, two } from './tabs.js';

test('keeps nobody waiting in any tab for the outcome of what one of them took out of the log', async () => {
  const { world, leader, follower } = await two();
  for (const { platform } of world.tabs) platform.setOnline(false);
  const { id } = follower.tasks.records.create('t1', { title: 'one' });
  const codes: unknown[] = [];
  for (const { tasks } of world.tabs) tasks.settled(id).catch(({ code }) => codes.push(code));
  await world.advance(500);
  follower.tasks.getMutationLogger().clear();
  await world.advance(500);
  expect([codes, leader.plugin.client.status.pending]).toEqual([['UNKNOWN_ID', 'UNKNOWN_ID'], 0]);
});

test('tells of a failure once in each of two tabs that both believe to lead', async () => {
  const world = await openTabs(1);
  const first = pick(world, 0);
  let left = 100;
  const host: TabHost = {
    // It holds a lock that the first has not lost.
    requestLock(_name, { onGranted }) {
      queueMicrotask(onGranted);
      return () => {};
    },
    openChannel(name, onMessage) {
      const channel = first.host.openChannel(name, onMessage);
      // What has no end must end the test all the same.
      return { ...channel, post: (message) => left-- > 0 && channel.post(message) };
    },
    isVisible: () => true,
  };
  const second = world.open({ tabs: sharedTabs({ host }) });
  await world.advance(1000);
  second.connection.fates.push('request lost');
  second.tasks.records.create('t1', { title: 'one' });
  await world.advance(250);
  const failures = ({ heard }: Tab) => heard.filter((line) => line.startsWith('error'));
  expect([failures(first), failures(second)]).toEqual(Array(2).fill([expect.any(String)]));
});

test('lets another tab lead at once when the leader freezes, which hears messages and nothing else', async () => {
  const world = await openTabs(3);
  const [first, second, third] = [pick(world, 0), pick(world, 1), pick(world, 2)];
  first.host.setVisible(false);
  world.freeze(first);
  const { id } = third.tasks.records.create('t1', { title: 'one' });
  await world.advance(250);
  expect(await third.tasks.settled(id)).toMatchObject({ status: 'applied' });
  second.tasks.records.create('t1', { title: 'two' });
  await world.advance(10_000);
  await world.goOn(first);
  await world.advance(1000);
  const asked = world.tabs.map(({ connection }) => connection.requests.length > 0);
  const seen = await Promise.all(world.tabs.map((tab) => tab.seen()));
  expect([asked, seen]).toEqual([[true, true, false], Array(3).fill({ t1: 'two' })]);
});

test('lets a tab lead at once that is opened beside a frozen one', async () => {
  const world = await openTabs(1);
  world.freeze(pick(world, 0));
  const { tasks, plugin } = world.open();
  tasks.records.create('t1', { title: 'one' });
  await world.advance(500);
  expect(plugin.client.status).toMatchObject({ state: 'idle', pending: 0 });
});

test('shows that the storage fails in the tabs that met it, until another tab has stored something', async () => {
  const { world, leader, follower } = await two();
  const full = new StorageError('FULL', 'disk full');
  for (const tab of world.tabs) refuse(tab, full);
  await leader.tasks.sync();
  await world.advance(10_000);
  const isFailing = () => world.tabs.map(({ plugin }) => plugin.client.status.isStorageFailing);
  const before = isFailing();
  for (const { storage } of world.tabs) storage.heal();
  follower.tasks.records.create('t1', { title: 'one' });
  await world.advance(10_000);
  expect([before, isFailing()]).toEqual([
    [true, true],
    [false, false],
  ]);
});

test('shows what another tab has written although it could not be read at first, and nothing else is written', async () => {
  const { world, leader, follower } = await two();
  const heard: unknown[] = [];
  follower.tasks.records.subscribe('t1', (record) => void heard.push(record?.data.title));
  await world.advance(250);
  const { storage } = follower;
  storage.fail('load', new StorageError('FAILED', 'not just now'));
  leader.tasks.records.create('t1', { title: 'one' });
  await world.advance(250);
  storage.heal();
  await world.advance(2000);
  const { isStorageFailing, attention } = follower.plugin.client.status;
  expect([heard, isStorageFailing, attention]).toEqual([[undefined, 'one'], false, false]);
});

test('shows in a tab that cannot store why not, and of sync what the leader says', async () => {
  const { world, leader, follower } = await two();
  leader.tasks.records.create('t1', { title: 'one' });
  await world.advance(1000);
  refuse(follower, new StorageError('FULL', 'disk full'));
  follower.tasks.records.create('t2', { title: 'two' });
  await world.advance(1000);
  const { status } = leader.plugin.client;
  const own = { pending: 1, isStorageFailing: true, attention: true, lastError: 'disk full', lastErrorCode: 'FULL' };
  expect(follower.plugin.client.status).toEqual({ ...status, ...own });
  expect(status.clockSkewMs).not.toBeNull();
});

test('I13 sends what a tab has stored that was told the opposite, and died', async () => {
  const { world, follower, leader } = await two();
  follower.storage.before('commit', async (batch) => {
    await world.storage.commit(batch);
    throw new StorageError('LOCKED', 'The end is not told.');
  });
  follower.tasks.records.create('t1', { title: 'one' });
  await follower.platform.advance(0);
  world.crash(follower);
  await world.advance(10_000);
  const { records } = await world.server.handler.store.page({ after: 0, limit: 10 });
  expect([records.map(({ recordId }) => recordId), leader.plugin.client.status.pending]).toEqual([['t1'], 0]);
});

test('I13 sends what a storage has stored that did not hear so and asked again', async () => {
  const { world, follower, leader } = await two();
  follower.storage.before('commit', (batch) => {
    follower.storage.heal();
    // As IndexedDB does when its connection is closed: what it asks then comes too late.
    return world.storage.commit(batch);
  });
  follower.tasks.records.create('t1', { title: 'one' });
  await world.advance(10_000);
  const { records } = await world.server.handler.store.page({ after: 0, limit: 10 });
  expect([records.map(({ recordId }) => recordId), leader.plugin.client.status.pending]).toEqual([['t1'], 0]);
});

test('I2 asks nobody again about a change that is decided, though its tab was told that it was not stored', async () => {
  const { world, follower, leader } = await two({ config: { strategy: 'manual' } });
  await otherCreates('t1', world.server);
  follower.storage.before('commit', async (batch) => {
    follower.storage.heal();
    await world.storage.commit(batch);
    throw new StorageError('LOCKED', 'The end is not told.');
  });
  const { id } = follower.tasks.records.create('t1', { title: 'mine' });
  await follower.platform.advance(0);
  world.hang(follower);
  await world.advance(5000);
  await leader.tasks.conflicts.resolve(id, 'theirs');
  await world.goOn(follower);
  await world.advance(5000);
  const sent = leader.connection.requests.flatMap(({ mutations }) => mutations ?? []);
  const left = world.tabs.map(({ plugin: { client } }) => [client.status.pending, client.status.conflicts]);
  // Under the same id a dead letter may wait in the log again, because the user has retried it.
  const removed = follower.storage.commits.flatMap(({ removeEntries = [] }) => removeEntries);
  expect([sent.map((mutation) => mutation.id), left, removed]).toEqual([[id], Array(2).fill([0, 0]), []]);
});

test('passes over a message that only a tab with a newer version of the app knows, and goes on', async () => {
  const { world, follower } = await two();
  const channel = world.tabs[0]?.host.openChannel(groupName('app'), () => {});
  channel?.post({ from: 'newer', message: { type: 'sings' } });
  follower.tasks.records.create('t1', { title: 'one' });
  await world.advance(1000);
  expect(world.tabs.map(({ plugin }) => plugin.client.status)).toEqual(
    Array(2).fill(expect.objectContaining({ state: 'idle', pending: 0 })),
  );
});

test('I1 I2 syncs beside a tab of another version, which neither hears it nor takes the lead from it', async () => {
  const world = await openTabs(1);
  const { host } = pick(world, 0);
  const renamed: TabHost = {
    ...host,
    requestLock: (name, request) => host.requestLock(`newer ${name}`, request),
    openChannel: (name, onMessage) => host.openChannel(`newer ${name}`, onMessage),
    isVisible: () => true,
  };
  world.open({ tabs: sharedTabs({ host: renamed }) });
  await world.advance(1000);
  for (const [index, tab] of world.tabs.entries()) tab.tasks.records.create(`t${index}`, { title: 'one' });
  await world.advance(10_000);
  for (const { tasks } of world.tabs) await tasks.sync();
  const { records } = await world.server.handler.store.page({ after: 0, limit: 10 });
  const versions = Object.fromEntries(records.map(({ recordId, version }) => [recordId, version]));
  expect(versions).toEqual({ t0: 1, t1: 1 });
  const shown = await Promise.all(world.tabs.map(async (tab) => [await tab.seen(), tab.plugin.client.status.pending]));
  expect(shown).toEqual(Array(2).fill([{ t0: 'one', t1: 'one' }, 0]));
});

test('lets no tab lead that may not read the storage, though nobody sees the one that leads, and tells it nothing', async () => {
  const world = await openTabs(1, { user: 'ada' });
  const ada = pick(world, 0);
  ada.tasks.records.create('t1', { title: 'of ada' });
  await world.advance(1000);
  ada.host.setVisible(false);
  const bob = world.open({ user: 'bob' });
  await world.advance(10_000);
  ada.tasks.records.create('t2', { title: 'of ada' });
  await world.advance(1000);
  expect([ada.plugin.client.status.state, await ada.seen()]).toEqual(['idle', { t1: 'of ada', t2: 'of ada' }]);
  const { records } = await world.server.handler.store.page({ after: 0, limit: 10 });
  expect(records.map(({ recordId }) => recordId)).toEqual(['t1', 't2']);
  expect(bob.heard).toEqual([]);
});

test('shows what its own device knows while no tab has said that it leads', async () => {
  const world = await openTabs(1);
  world.hang(pick(world, 0));
  const { plugin, platform } = world.open();
  const states = [true, false].map((isOnline) => {
    platform.setOnline(isOnline);
    return plugin.client.status.state;
  });
  expect(states).toEqual(['idle', 'offline']);
});

test('shows in all tabs why sync failed, also in one that comes later, until it succeeds', async () => {
  const { world, leader } = await two();
  leader.connection.fates.push('request lost');
  leader.tasks.records.create('t1', { title: 'one' });
  await world.advance(250);
  world.open();
  await world.advance(250);
  const errors = () => world.tabs.map(({ plugin }) => plugin.client.status.lastError);
  const before = errors();
  await world.advance(10_000);
  expect([before, errors()]).toEqual([Array(3).fill(expect.any(String)), [null, null, null]]);
});

test('leads no sooner than its storage opens that did not at first, tells why, and tries no more once it is closed', async () => {
  const world = await openTabs(1);
  const hidden = pick(world, 0);
  hidden.host.setVisible(false);
  const { storage } = world;
  storage.fail('load', new StorageError('LOCKED', 'Another program reads it.'));
  const [tab, closed] = [world.open(), world.open()];
  await world.advance(5000);
  await world.close(closed);
  expect([closed.platform.pendingTimersMs, new Set(tab.heard)]).toEqual([
    [],
    new Set(['error: Another program reads it.']),
  ]);
  hidden.tasks.records.create('t1', { title: 'one' });
  await world.advance(1000);
  const before = [hidden.plugin.client.status.pending, tab.connection.requests.length];
  storage.heal();
  await world.advance(5000);
  tab.tasks.records.create('t2', { title: 'two' });
  await world.advance(1000);
  expect([before, tab.plugin.client.status]).toEqual([[0, 0], expect.objectContaining({ state: 'idle', pending: 0 })]);
  expect(tab.connection.requests.length).toBeGreaterThan(0);
});

test('takes no lead while its storage is being opened, though nobody sees the tab that leads', async () => {
  const world = await openTabs(1);
  const hidden = pick(world, 0);
  hidden.host.setVisible(false);
  world.storage.before('load', () => new Promise(() => {}));
  const tab = world.open();
  await world.advance(5000);
  hidden.tasks.records.create('t1', { title: 'one' });
  await world.advance(1000);
  expect([hidden.plugin.client.status.pending, tab.connection.requests]).toEqual([0, []]);
});

test('hears nothing of the other tabs any more once it is closed', async () => {
  const { world, leader, follower } = await two();
  await world.close(follower);
  const before = [...follower.heard];
  leader.tasks.records.create('t1', { title: 'one' });
  await leader.tasks.sync();
  await follower.platform.advance(10_000);
  expect(follower.heard).toEqual(before);
});

test('lets a tab of the user lead whose the storage has become, though one of the user before has led', async () => {
  const world = await openTabs(2, { user: 'ada' });
  const { meta } = await world.storage.load();
  if (meta) await world.storage.commit({ meta: { ...meta, user: 'bob', revision: meta.revision + 1 } });
  const bob = world.open({ user: 'bob' });
  await world.advance(250);
  const { id } = bob.tasks.records.create('t1', { title: 'of bob' });
  await world.advance(5000);
  expect(bob.plugin.client.status).toMatchObject({ state: 'idle', pending: 0 });
  expect(await bob.tasks.settled(id)).toMatchObject({ status: 'applied' });
  expect(world.tabs.map(({ plugin }) => plugin.client.status.state)).toEqual(['needs-auth', 'needs-auth', 'idle']);
});

test('shows nothing of it in the other tabs that the leader is closed and another one takes over', async () => {
  const { world, leader, follower } = await two();
  world.open();
  await world.advance(500);
  const states = new Set<string>();
  for (const { plugin } of world.tabs.slice(1)) plugin.client.subscribeStatus(({ state }) => void states.add(state));
  follower.tasks.records.create('t1', { title: 'one' });
  await world.advance(500);
  await world.close(leader);
  await world.advance(500);
  expect([...states].sort()).toEqual(['idle', 'syncing', 'waiting']);
});

test('rests when it has lost the lead before it had read what the leader before had stored', async () => {
  const world = await openTabs(3);
  const { storage } = world;
  let goOn = () => {};
  storage.before('load', () => {
    storage.heal();
    return new Promise<void>((resolve) => {
      goOn = resolve;
    });
  });
  const [first, slow, last] = [pick(world, 0), pick(world, 1), pick(world, 2)];
  slow.host.setVisible(false);
  world.crash(first);
  await world.advance(5000);
  goOn();
  await world.advance(5000);
  slow.tasks.records.create('t1', { title: 'one' });
  await world.advance(5000);
  expect([slow, last].map(({ connection }) => connection.requests.length > 0)).toEqual([false, true]);
  expect(slow.plugin.client.status).toMatchObject({ state: 'idle', pending: 0 });
});

test('leads again at once when the tab is closed that took the lead from it', async () => {
  const { world, leader, follower } = await two();
  leader.host.setVisible(false);
  await world.advance(3000);
  expect(follower.connection.requests.length).toBeGreaterThan(0);
  await world.close(follower);
  leader.tasks.records.create('t1', { title: 'one' });
  await world.advance(500);
  expect(leader.plugin.client.status).toMatchObject({ state: 'idle', pending: 0 });
});

test('asks a browser that refuses every lock now and then, and not in a loop', async () => {
  const world = await openTabs(0);
  let asked = 0;
  world.open().host.requestLock = (_name, { onLost }) => {
    // An end, because without one the test would have none where the tab asks at once.
    if (++asked < 1000) queueMicrotask(onLost);
    return () => {};
  };
  await world.advance(20_000);
  expect(asked).toBe(5);
});

test('lets another tab lead at once also when the storage of the closed one fails at its end', async () => {
  const { world, leader, follower } = await two();
  leader.storage.fail('close', new Error('The disk is gone.'));
  await expect(world.close(leader)).rejects.toThrow('The disk is gone.');
  const sync = follower.tasks.sync();
  await follower.platform.advance(0);
  expect(await Promise.race([sync, 'waits'])).toMatchObject({ results: [] });
});

test('asks nothing of a server while there is no network, whichever tab leads, and syncs when there is one', async () => {
  const world = await openTabs(0);
  for (let opened = 0; opened < 2; opened++) {
    world.open().platform.setOnline(false);
    await world.advance(1000);
  }
  const [first, second] = [pick(world, 0), pick(world, 1)];
  second.tasks.records.create('t1', { title: 'without a network' });
  await world.close(first);
  await world.advance(1000);
  const asked = world.tabs.flatMap(({ connection }) => connection.requests);
  expect([asked, second.plugin.client.status.state, second.heard]).toEqual([[], 'offline', []]);
  second.platform.setOnline(true);
  await world.advance(1000);
  expect(second.plugin.client.status).toMatchObject({ state: 'idle', pending: 0, lastError: null });
});

test('tells no other tab that a newer version of the app has upgraded the storage: that one may be the newer', async () => {
  const { world, leader, follower } = await two();
  refuse(leader, new StorageError('TOO_NEW', 'upgraded'));
  leader.tasks.records.create('t1', { title: 'one' });
  await world.advance(1000);
  const failures = ({ heard }: Tab) => heard.filter((line) => line.startsWith('error'));
  expect([failures(leader).length > 0, failures(follower)]).toEqual([true, []]);
});
