import Database from 'libsql';
import { expect, test } from 'vitest';
import type { LockRequest, TabHost } from '../../src/platform/tab-host.js';
import { TestPlatform } from '../../src/platform/test-platform.js';
import { SqliteStorage } from '../../src/storage/sqlite-storage.js';
import { StorageError } from '../../src/storage/storage-error.js';
import { sharedTabs } from '../../src/tabs/shared-tabs.js';
import { groupName } from '../../src/tabs/tab-message.js';
import { FaultStorage } from '../../src/testing/fault-storage.js';
import { applies, refuses, ScriptedServer, type Step } from '../fixtures/scripted-server.js';
import { openTabs, type Tab, two } from './tabs.js';

const failuresOf = ({ heard }: Tab) => heard.filter((line) => line.startsWith('error'));

/** Lets the commits of a tab wait until what it returns is called. */
function holdCommits({ storage }: Tab): () => void {
  let goOn = () => {};
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  storage.before('commit', () => held);
  return () => {
    storage.heal();
    goOn();
  };
}

test('tells who waits in another tab the outcome that a tab stores while it loses the lead', async () => {
  const { world, leader, follower } = await two();
  const { id } = follower.tasks.records.create('t1', { title: 'one' });
  const outcome = follower.tasks.settled(id).catch((error: unknown) => error);
  await follower.platform.advance(0);
  const goOn = holdCommits(leader);
  await world.advance(500);
  follower.connection.holdNextAnswer();
  leader.host.setVisible(false);
  await world.advance(2000);
  goOn();
  await world.advance(1000);
  expect(await outcome).toEqual({ status: 'applied', version: 1, droppedFields: [] });
});

test('sends at once what the tab that led has stored and not told of', async () => {
  const { world, leader, follower } = await two();
  leader.storage.before('commit', async (batch) => {
    await world.storage.commit(batch);
    await new Promise(() => {});
  });
  leader.tasks.records.create('t1', { title: 'one' });
  await leader.platform.advance(0);
  world.crash(leader);
  await world.advance(500);
  expect(follower.connection.requests.flatMap(({ mutations }) => mutations?.length ?? 0)).toEqual([1]);
});

test('sends what is stored although the tab that leads has no room for more', async () => {
  const { leader } = await two({ config: { debounce_ms: 10_000 } });
  leader.tasks.records.create('t1', { title: 'stored' });
  await leader.tasks.getMutationLogger().flush();
  leader.storage.fail('commit', new StorageError('FULL', 'disk full'));
  leader.tasks.records.create('t2', { title: 'in memory' });
  void leader.tasks.sync();
  await leader.platform.advance(500);
  const [request] = leader.connection.requests.slice(-1);
  expect(request?.mutations?.map(({ recordId }) => recordId)).toEqual(['t1']);
});

test('tells nobody else that the storage of a tab fails that does not lead', async () => {
  const { world, leader, follower } = await two();
  follower.storage.fail('commit', new StorageError('FULL', 'disk full'));
  follower.tasks.records.create('t1', { title: 'one' });
  await world.advance(500);
  expect([failuresOf(follower).length > 0, failuresOf(leader)]).toEqual([true, []]);
});

test('leads no more once it is closed, also if its storage opens only then', async () => {
  const world = await openTabs(0);
  let open = () => {};
  world.storage.before('load', () => {
    world.storage.heal();
    return new Promise<void>((resolve) => {
      open = resolve;
    });
  });
  const closed = world.open();
  await world.close(closed);
  open();
  await closed.platform.advance(0);
  const { tasks, plugin } = world.open();
  tasks.records.create('t1', { title: 'one' });
  await world.advance(1000);
  expect([closed.platform.pendingTimersMs, plugin.client.status.pending]).toEqual([[], 0]);
});

test('waits for the end of no write any more once it is closed', async () => {
  const { world, leader, follower } = await two();
  holdCommits(leader);
  leader.tasks.records.create('t1', { title: 'one' });
  await leader.platform.advance(0);
  await world.close(follower);
  expect(follower.platform.pendingTimersMs).toEqual([]);
});

test('asks nothing for a user whose storage has become another one, also when its tab comes to lead just then', async () => {
  const { world, leader, follower } = await two({ user: 'ada' });
  const { meta } = await world.storage.load();
  if (meta) await world.storage.commit({ meta: { ...meta, user: 'bob', revision: meta.revision + 1 } });
  world.crash(leader);
  const before = follower.connection.requests.length;
  await world.advance(5000);
  expect([follower.connection.requests.length - before, follower.plugin.client.status.state]).toEqual([
    0,
    'needs-auth',
  ]);
});

test('shows nothing of the other tabs any more once it is closed', async () => {
  const { world, leader, follower } = await two();
  leader.tasks.records.create('t1', { title: 'one' });
  await world.advance(1000);
  const before = follower.plugin.client.status.clockSkewMs;
  await world.close(follower);
  expect([before, follower.plugin.client.status.clockSkewMs]).toEqual([expect.any(Number), null]);
});

test('tells how sync stands also when a tab comes to lead while sync is paused', async () => {
  const { world, leader, follower } = await two();
  leader.tasks.records.create('t1', { title: 'one' });
  await world.advance(1000);
  leader.tasks.pause();
  let told: unknown;
  follower.plugin.client.subscribeStatus((status) => {
    told = status;
  });
  await world.advance(500);
  const before = told;
  world.crash(leader);
  await world.advance(500);
  expect([before, told]).toEqual([
    expect.objectContaining({ state: 'paused', clockSkewMs: expect.any(Number) }),
    expect.objectContaining({ state: 'paused', clockSkewMs: null }),
  ]);
});

test('says how sync stands only when that has changed', async () => {
  const { leader, follower } = await two();
  const said: unknown[] = [];
  follower.host.openChannel(groupName('app'), (message) => said.push(message));
  for (let times = 0; times < 10; times++) await leader.tasks.flush();
  expect(said).toEqual([]);
});

test('I13 waits for no outcome for ever that a tab asked of itself while it led for a moment beside another one', async () => {
  const { world, follower } = await two();
  let lock: LockRequest | undefined;
  const host: TabHost = {
    requestLock(_name, request) {
      lock = request;
      return () => {};
    },
    openChannel: (name, onMessage) => follower.host.openChannel(name, onMessage),
    isVisible: () => true,
  };
  const tab = world.open({ tabs: sharedTabs({ host }) });
  await world.advance(500);
  // It hears late of a lock that the one who leads has taken from it.
  if (!lock) throw new Error('It stands in no line.');
  const { onGranted, onLost } = lock;
  tab.connection.holdNextAnswer();
  onGranted();
  const { id } = tab.tasks.records.create('t1', { title: 'one' });
  const outcome = tab.tasks.settled(id);
  await tab.platform.advance(50);
  onLost();
  await world.advance(5000);
  expect(await Promise.race([outcome, 'waits'])).toMatchObject({ status: 'applied' });
});

test('I13 sends what is behind a mutation that no request gets through while another tab writes all the time', async () => {
  const takes: Step = (request, ...call) =>
    (request.mutations.some(({ recordId }) => recordId === 'poison') ? refuses(403) : applies)(request, ...call);
  const transport = new ScriptedServer(new TestPlatform(), [], takes);
  // Unlike one in memory, it makes the values anew that it hands out.
  const storage = new FaultStorage(Object.assign(new SqliteStorage(new Database(':memory:')), { sharedName: 'app' }));
  const { world, follower } = await two({ transport, storage });
  follower.tasks.records.create('poison', { title: 'x' });
  const { id } = follower.tasks.records.create('fine', { title: 'x' });
  for (let seconds = 0; seconds < 180; seconds++) {
    follower.tasks.records.update('fine', { title: `${seconds}` });
    await world.advance(1000);
  }
  expect(transport.applied[0]).toBe(id);
});
