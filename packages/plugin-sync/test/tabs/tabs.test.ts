import { expect, test } from 'vitest';
import { LiveServer } from '../../src/live/live-server.fixture.js';
import { liveUpdates } from '../../src/live/live-updates.js';
import { StorageError } from '../../src/storage/storage-error.js';
import { sharedTabs } from '../../src/tabs/shared-tabs.js';
import { FaultStorage } from '../../src/testing/fault-storage.js';
import { TransportError } from '../../src/transport/transport.js';
import { device } from '../fixtures/device.js';
import { otherCreates, otherDevice } from '../fixtures/two-devices.js';
import { openTabs, pick, refuse, sharedStorage, type Tabs, two } from './tabs.js';

/** Of each tab how many requests it made. */
const requests = ({ tabs }: Tabs) => tabs.map(({ connection }) => connection.requests.length);
/** What was sent, as `record sequence`, once for each request that carried it. */
const sent = ({ tabs }: Tabs) =>
  tabs.flatMap(({ connection }) => connection.requests.flatMap(({ mutations }) => mutations));
const states = ({ tabs }: Tabs) => tabs.map(({ plugin }) => plugin.client.status.state);

test('lets any tab record, one sync, and all see the same records and status', async () => {
  const world = await openTabs(3);
  const atStart = requests(world);
  for (const [index, tab] of world.tabs.entries()) tab.tasks.records.create(`t${index}`, { title: `by ${index}` });
  await world.advance(500);
  expect(requests(world).slice(1)).toEqual(atStart.slice(1));
  const seen = await Promise.all(world.tabs.map((tab) => tab.seen()));
  expect(seen).toEqual(Array(3).fill({ t0: 'by 0', t1: 'by 1', t2: 'by 2' }));
  const [first, ...others] = world.tabs.map(({ plugin }) => plugin.client.status);
  expect(first).toMatchObject({ state: 'idle', pending: 0, lastError: null });
  expect(others).toEqual([first, first]);
});

test('tells who watches records in one tab of what another tab records, before and after it is settled', async () => {
  const { world, leader, follower } = await two();
  leader.plugin.client.pause();
  const heard: unknown[] = [];
  leader.tasks.records.subscribe('t1', (record) => void heard.push(record && [record.data.title, record.isPending]));
  follower.tasks.records.create('t1', { title: 'new' });
  await world.advance(500);
  follower.plugin.client.resume();
  await world.advance(500);
  expect(heard).toEqual([undefined, ['new', true], ['new', false]]);
});

test('reads of the pages that another tab receives what came with them, not all that is stored', async () => {
  const { world, leader, follower } = await two();
  const other = otherDevice(world.server);
  for (let n = 0; n < 2500; n++) other.tasks.records.create(n, {});
  await other.tasks.sync();
  let shown = 0;
  follower.tasks.records.subscribe((records) => {
    shown = records.length;
  });
  await world.advance(250);
  const before = follower.storage.operations.length;
  await leader.tasks.sync();
  await world.advance(250);
  const asked = follower.storage.operations.slice(before);
  expect(shown).toBe(2500);
  expect([asked.includes('getRecords'), asked.includes('listRecords')]).toEqual([true, false]);
});

test('tells who watches a record in one tab of what another tab received for it', async () => {
  const { world, leader, follower } = await two();
  const other = otherDevice(world.server);
  const heard: unknown[] = [];
  follower.tasks.records.subscribe('t9', (record) => void heard.push(record?.data.title));
  await world.advance(250);
  for (const change of [
    () => other.tasks.records.create('t9', { title: 'theirs' }),
    () => other.tasks.records.delete('t9'),
  ]) {
    await change();
    await other.tasks.sync();
    await leader.tasks.sync();
    await world.advance(250);
  }
  expect(heard).toEqual([undefined, 'theirs', undefined]);
});

test('I3 keeps the order of each tab, whichever tab leads', async () => {
  const world = await openTabs(3);
  for (let n = 0; n < 10; n++) {
    for (const [index, tab] of world.tabs.entries()) tab.tasks.records.create(`${index}-${n}`, { n });
    if (n === 5) world.crash(pick(world, 0));
    await world.advance(250);
  }
  await world.advance(10_000);
  for (const index of [1, 2]) {
    const own = sent(world).filter(({ recordId }) => String(recordId).startsWith(`${index}-`));
    const inOrder = [...new Map(own.map(({ recordId, sequence }) => [recordId, sequence]))].sort((a, b) => a[1] - b[1]);
    expect(inOrder.map(([recordId]) => recordId)).toEqual(Array.from({ length: 10 }, (_, n) => `${index}-${n}`));
  }
});

test('syncs for a follower that asks, with what it recorded just before', async () => {
  const { leader, follower } = await two();
  const { id } = follower.tasks.records.create('t1', { title: 'now' });
  const answer = await follower.tasks.sync();
  expect(answer?.results).toEqual([expect.objectContaining({ status: 'applied', mutationId: id })]);
  expect(await follower.tasks.settled(id)).toEqual({ status: 'applied', version: 1, droppedFields: [] });
  expect(follower.connection.requests).toEqual([]);
  expect(leader.plugin.client.status.pending).toBe(0);
});

test('settles a mutation in the tab that waits for it, also when another tab leads by then', async () => {
  const { world, leader, follower } = await two();
  leader.plugin.client.pause();
  const { id } = follower.tasks.records.create('t1', { title: 'now' });
  const outcome = follower.tasks.settled(id);
  await world.advance(250);
  await leader.plugin.close();
  leader.runs = false;
  follower.plugin.client.resume();
  await world.advance(1000);
  expect(await outcome).toEqual({ status: 'applied', version: 1, droppedFields: [] });
  expect(follower.connection.requests.length).toBeGreaterThan(0);
});

test('I1 lets another tab lead at once when the leader crashes, and sends what the dead tab had stored', async () => {
  const { world, leader, follower } = await two();
  leader.connection.fates.push('request lost');
  leader.tasks.records.create('t1', { title: 'by the dead' });
  await world.advance(500);
  world.crash(leader);
  await world.advance(500);
  expect(follower.plugin.client.status).toMatchObject({ state: 'idle', pending: 0, lastError: null });
  expect(await follower.seen()).toEqual({ t1: 'by the dead' });
  expect(sent(world).map(({ recordId }) => recordId)).toEqual(['t1', 't1']);
});

test('I2 replaces a leader that hangs within seconds, and applies nothing twice when it goes on', async () => {
  const { world, leader, follower } = await two();
  world.hang(leader);
  const { id } = follower.tasks.records.create('t1', { title: 'waits' });
  await world.advance(2000);
  expect(requests(world)[1]).toBe(0);
  await world.advance(4000);
  expect(await follower.tasks.settled(id)).toMatchObject({ status: 'applied', version: 1 });
  await world.goOn(leader);
  await world.advance(3000);
  const before = requests(world)[0];
  await leader.tasks.records.update('t1', { title: 'awake' });
  await world.advance(3000);
  expect(requests(world)[0]).toBe(before);
  expect([await leader.seen(), await follower.seen()]).toEqual([{ t1: 'awake' }, { t1: 'awake' }]);
  expect(states(world)).toEqual(['idle', 'idle']);
});

test('I1 I2 stores an answer once that a hanging leader goes on with', async () => {
  const { world, leader, follower } = await two({
    config: { strategy: 'manual' },
    onConflict: () => ({ title: 'merged' }),
  });
  await otherCreates('t1', world.server);
  let goOn = () => {};
  const { handler } = world.server;
  const handlePush = handler.handlePush.bind(handler);
  handler.handlePush = async (...args) => {
    const answer = await handlePush(...args);
    if (leader.runs)
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
    return answer;
  };
  leader.tasks.records.create('t1', { title: 'mine' });
  await world.advance(250);
  world.hang(leader);
  await world.advance(8000);
  goOn();
  await world.goOn(leader);
  leader.runs = false;
  await world.advance(3000);
  expect(new Set(sent(world).map(({ id }) => id)).size).toBe(2);
  expect([await leader.seen(), await follower.seen()]).toEqual([{ t1: 'merged' }, { t1: 'merged' }]);
});

test('hands the lead to a tab the user sees from one that is hidden, where timers are slow', async () => {
  const { world, leader, follower } = await two();
  leader.host.setVisible(false);
  await world.advance(3000);
  follower.tasks.records.create('t1', { title: 'seen' });
  await world.advance(1000);
  expect(follower.connection.requests.length).toBeGreaterThan(0);
  const before = requests(world)[0];
  leader.host.setVisible(true);
  await world.advance(6000);
  follower.tasks.records.create('t2', { title: 'still' });
  await world.advance(1000);
  expect([requests(world)[0], await leader.seen()]).toEqual([before, { t1: 'seen', t2: 'still' }]);
});

test('hands the lead over when the storage fails in the leader alone, as after an upgrade by another tab', async () => {
  const { world, leader, follower } = await two();
  refuse(leader, new StorageError('TOO_NEW', 'Reload the page.'));
  leader.tasks.records.create('old', { title: 'not stored' });
  await world.advance(3000);
  follower.tasks.records.create('t1', { title: 'stored' });
  await world.advance(3000);
  expect(sent(world).map(({ recordId }) => recordId)).toEqual(['t1']);
  expect([leader.plugin.client.status, follower.plugin.client.status]).toEqual([
    expect.objectContaining({ pending: 1, isStorageFailing: true, lastErrorCode: 'TOO_NEW' }),
    expect.objectContaining({ pending: 0, isStorageFailing: false, state: 'idle' }),
  ]);
});

test('keeps the lead where it is when the storage fails in all tabs', async () => {
  const { world, leader, follower } = await two();
  const stolen: boolean[] = [];
  for (const { host } of [leader, follower]) {
    const { requestLock } = host;
    host.requestLock = (name, request) => {
      stolen.push(request.steal);
      return requestLock.call(host, name, request);
    };
  }
  for (const tab of [leader, follower]) {
    refuse(tab, new StorageError('FULL', 'No room.'));
    tab.tasks.records.create('t1', { title: 'not stored' });
  }
  await world.advance(10_000);
  expect(stolen).toEqual([]);
});

test('pauses and resumes all tabs from any of them, also those that come later', async () => {
  const { world, leader, follower } = await two();
  follower.plugin.client.pause();
  follower.plugin.client.cancelScheduled();
  await world.advance(250);
  expect(states(world)).toEqual(['paused', 'paused']);
  const third = world.open();
  await world.advance(250);
  for (const tab of [leader, follower]) world.crash(tab);
  const fourth = world.open();
  await world.advance(500);
  third.tasks.records.create('t1', { title: 'kept' });
  await world.advance(2000);
  expect([sent(world), states(world).slice(2)]).toEqual([[], ['paused', 'paused']]);
  fourth.plugin.client.resume();
  await world.advance(1000);
  expect([await fourth.seen(), states(world).slice(2)]).toEqual([{ t1: 'kept' }, ['idle', 'idle']]);
  expect(third.connection.requests.length).toBeGreaterThan(0);
});

test('goes on where a page is opened after signing in, though another tab leads that waits for it', async () => {
  const { world, leader } = await two();
  const { transport } = leader.plugin.client;
  let isSignedIn = false;
  leader.plugin.client.transport = {
    push: (request, options) => {
      if (isSignedIn) return transport.push(request, options);
      return Promise.reject(new TransportError('Who are you?', { type: 'refused', status: 401 }));
    },
  };
  leader.tasks.records.create('t1', { title: 'kept' });
  await world.advance(1000);
  expect(states(world)).toEqual(['needs-auth', 'needs-auth']);
  isSignedIn = true;
  world.open();
  await world.advance(1000);
  expect([states(world), sent(world)]).toMatchObject([['idle', 'idle', 'idle'], [{ recordId: 't1' }]]);
});

test('decides conflicts and dead letters in any tab, and shows it in all', async () => {
  const { world, leader, follower } = await two({ config: { strategy: 'manual' } });
  await otherCreates('t1', world.server);
  const { id } = follower.tasks.records.create('t1', { title: 'mine' });
  await follower.tasks.sync();
  await world.advance(250);
  const waiting = world.tabs.map(({ tasks, plugin }) => [tasks.conflicts.size, plugin.client.status.attention]);
  expect(waiting).toEqual([
    [1, true],
    [1, true],
  ]);
  await follower.tasks.conflicts.resolve(id, 'mine');
  await world.advance(500);
  expect([leader.tasks.conflicts.list(), leader.plugin.client.status.attention]).toEqual([[], false]);
  expect(await leader.seen()).toEqual({ t1: 'mine' });
});

test('tells listeners in every tab, and hands server changes over in the leader alone', async () => {
  const { world, leader, follower } = await two();
  await otherCreates('t9', world.server);
  leader.heard.length = 0;
  follower.heard.length = 0;
  await follower.tasks.sync();
  await world.advance(250);
  expect([leader.heard, follower.heard]).toEqual([
    ['start', 'changes: t9', 'complete'],
    ['start', 'complete'],
  ]);
  expect(await follower.seen()).toEqual({ t9: 'theirs' });
});

test('holds one live stream for all tabs, in the one that leads', async () => {
  const world = await openTabs(0, { live: liveUpdates() });
  const servers = [new LiveServer(), new LiveServer()];
  const [leader, follower] = servers.map((transport) => world.open({ transport }));
  const streams = () => servers.map(({ isRead }) => isRead);
  await world.advance(1000);
  const before = [streams(), world.tabs.map(({ plugin }) => plugin.client.status.live)];
  if (leader) await world.close(leader);
  await world.advance(1000);
  expect([before, streams()]).toEqual([
    [
      [true, false],
      ['open', 'open'],
    ],
    [false, true],
  ]);
  await follower?.plugin.close();
});

test('never leads with a storage of another user, and so sends nothing as the wrong one', async () => {
  const world = await openTabs(1, { user: 'ada' });
  const ada = pick(world, 0);
  ada.tasks.records.create('t1', { title: 'of ada' });
  await ada.tasks.flush();
  const bob = world.open({ user: 'bob' });
  await world.advance(500);
  world.crash(ada);
  expect(() => bob.tasks.records.create('t2', { title: 'of bob' })).toThrow(/another user/);
  const later = world.open();
  await world.advance(2000);
  expect([bob.plugin.client.status, bob.connection.requests]).toEqual([
    expect.objectContaining({ state: 'needs-auth', why: 'wrong-user' }),
    [],
  ]);
  expect(await later.seen()).toEqual({ t1: 'of ada' });
  expect(later.plugin.client.status).toMatchObject({ state: 'idle', pending: 0 });
});

test('shows in all tabs when one clears what is pending, as at a sign-out', async () => {
  const { world, leader, follower } = await two();
  leader.plugin.client.pause();
  leader.tasks.records.create('t1', { title: 'secret' });
  await world.advance(250);
  const before = await follower.seen();
  follower.tasks.getMutationLogger().clear();
  await world.advance(250);
  expect([before, await leader.seen(), leader.plugin.client.status.pending]).toEqual([{ t1: 'secret' }, {}, 0]);
});

test('finds what a tab stored that died before it could tell', async () => {
  const { world, leader, follower } = await two();
  const { storage } = world;
  const commit = storage.commit.bind(storage);
  storage.commit = async (batch) => {
    await commit(batch);
    if (batch.putEntries?.some(({ mutation }) => mutation.recordId === 'last')) world.crash(follower);
  };
  follower.tasks.records.create('last', { title: 'words' });
  await world.advance(3000);
  expect([await leader.seen(), leader.plugin.client.status.pending]).toEqual([{ last: 'words' }, 0]);
});

test('works without the other tabs where the browser cannot connect them', async () => {
  const storage = new FaultStorage(sharedStorage());
  const { server } = await openTabs(0);
  const alone = device({ transport: server.connect().transport, storage, tabs: sharedTabs({ host: undefined }) });
  alone.tasks.records.create('t1', { title: 'alone' });
  await alone.tasks.sync();
  expect(await alone.seen()).toEqual({ t1: 'alone' });
});

test('refuses a storage that tabs cannot share', async () => {
  const { server } = await openTabs(0);
  const make = () => device({ transport: server.connect().transport, tabs: sharedTabs() });
  expect(make).toThrow(/IndexedDbStorage/);
});

test('says that a client was closed to who still waits for another tab', async () => {
  const { world, leader, follower } = await two();
  leader.plugin.client.pause();
  const { id } = follower.tasks.records.create('t1', { title: 'now' });
  const outcome = follower.tasks.settled(id);
  await world.advance(250);
  await Promise.all([expect(outcome).rejects.toMatchObject({ code: 'CLOSED' }), follower.plugin.close()]);
});

test('answers at once when it is closed, whatever is asked of it', async () => {
  const { world, leader, follower } = await two();
  for (const tab of [leader, follower]) {
    const { plugin, tasks } = tab;
    const { id } = tasks.records.create('t1', {});
    await world.close(tab);
    plugin.client.pause();
    plugin.client.resume();
    plugin.client.cancelScheduled();
    expect(await plugin.client.sync()).toBeNull();
    await expect(plugin.client.settled(id)).rejects.toMatchObject({ name: 'SyncUsageError', code: 'CLOSED' });
  }
});
