/** I13: what is pending is under way, has a timer, or says what it waits for. */
import type { SyncPushRequest, SyncPushResponse } from '@objectql/sync-types';
import { REQUEST_TIMEOUT_MS } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import { TestPlatform } from '../../src/platform/test-platform.js';
import { TransportError } from '../../src/transport/transport.js';
import { device } from './device.js';
import { answer, appliedAll, change, scriptedServer } from './scripted-server.js';

function unreachable(): never {
  throw new TransportError('No network.', { type: 'unreachable' });
}

function conflictAll({ mutations }: SyncPushRequest): SyncPushResponse {
  return answer(
    mutations.map((clientMutation) => ({
      status: 'conflict',
      mutationId: clientMutation.id,
      conflict: {
        objectName: clientMutation.objectName,
        recordId: clientMutation.recordId,
        clientMutation,
        serverRecord: { title: 'theirs' },
        conflictingFields: ['title'],
        strategy: 'manual',
        serverVersion: 3,
      },
    })),
  );
}

/** Full jitter without the luck: always the longest delay. */
class SteadyPlatform extends TestPlatform {
  override random(): number {
    return 0.999_999_9;
  }
}

test('sends after the debounce of the object, and gathers what comes meanwhile', async () => {
  const server = scriptedServer();
  const { tasks, platform } = device({ transport: server.transport });
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(60);
  tasks.records.create('t2', { title: 'two' });
  await platform.advance(99);
  expect(server.requests.length).toBe(0);
  await platform.advance(1);
  expect(server.requests.map(({ mutations }) => mutations.length)).toEqual([2]);
});

test('asks for what the server has when records are watched for the first time, and once', async () => {
  const server = scriptedServer((request) => appliedAll(request, { serverChanges: [change('t1', 1)] }));
  const { tasks, platform, seen } = device({ transport: server.transport });
  for (const watch of [() => tasks.records.subscribe(() => {}), () => tasks.records.subscribe('t1', () => {})]) {
    const stop = watch();
    await platform.advance(0);
    stop();
  }
  expect([await seen(), server.requests.length]).toEqual([{ t1: 't1' }, 1]);
});

test('sends a steady stream of edits after ten seconds at the latest', async () => {
  const server = scriptedServer();
  const { tasks, platform } = device({ transport: server.transport });
  for (let index = 0; index < 210; index++) {
    tasks.records.create(`t${index}`, { title: 'x' });
    await platform.advance(50);
  }
  expect(server.requests[0]?.mutations.length).toBe(50);
});

test('sends what was recorded while a request was under way, without another call', async () => {
  const platform = new TestPlatform();
  let release = (_: SyncPushResponse) => {};
  const server = scriptedServer((request, call) =>
    call === 1
      ? new Promise<SyncPushResponse>((resolve) => {
          release = () => resolve(appliedAll(request));
        })
      : appliedAll(request),
  );
  const { tasks, plugin } = device({ transport: server.transport, platform });
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(100);
  // Recorded at the very moment the answer arrives: not durable yet when the sync ends.
  release(null as never);
  tasks.records.create('t2', { title: 'two' });
  await platform.advance(1000);
  expect([server.requests.length, plugin.client.status.pending]).toEqual([2, 0]);
});

test('tries again with doubling delays, and never gives up', async () => {
  const server = scriptedServer(unreachable);
  const platform = new SteadyPlatform();
  const { tasks, plugin } = device({ transport: server.transport, platform });
  tasks.records.create('t1', { title: 'one' });
  const at: number[] = [];
  const start = platform.now();
  while (server.requests.length < 10) {
    const before = server.requests.length;
    await platform.advance(100);
    if (server.requests.length > before) at.push(platform.now() - start);
  }
  expect(at.map((time, index) => time - (at[index - 1] ?? 0))).toEqual([
    100, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000,
  ]);
  server.script = (request) => appliedAll(request);
  await platform.advance(60_000);
  expect(plugin.client.status).toMatchObject({ state: 'idle', pending: 0, lastError: null });
});

test('waits as long as the server asks, and no shorter, though the network comes and goes', async () => {
  const server = scriptedServer(() => ({
    error: { code: 'RATE_LIMITED', message: 'Slow down.', retryAfterMs: 120_000 },
  }));
  const { tasks, platform, plugin } = device({ transport: server.transport });
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(100);
  expect(plugin.client.status).toMatchObject({ state: 'waiting', until: platform.now() + 120_000 });
  await platform.advance(60_000);
  platform.setOnline(false);
  platform.setOnline(true);
  await platform.advance(59_999);
  expect(server.requests.length).toBe(1);
  await platform.advance(1);
  expect(server.requests.length).toBe(2);
});

test('gives a request up after 30 seconds, also when the transport ignores the signal', async () => {
  const server = scriptedServer(() => new Promise(() => {}));
  const { tasks, platform, heard } = device({ transport: server.transport });
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(100 + REQUEST_TIMEOUT_MS);
  expect(heard).toEqual(['start', 'error: The server did not answer within 30000 ms.']);
  server.script = (request) => appliedAll(request);
  await platform.advance(1000);
  expect(heard.at(-1)).toBe('complete');
});

test('waits for the network without a timer, and tries at once when it is back', async () => {
  const server = scriptedServer();
  const { tasks, platform, plugin } = device({ transport: server.transport });
  platform.setOnline(false);
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(100_000);
  expect([plugin.client.status.state, server.requests.length, platform.pendingTimersMs]).toEqual(['offline', 0, []]);
  platform.setOnline(true);
  await platform.advance(0);
  expect([plugin.client.status.state, server.requests.length]).toEqual(['idle', 1]);
});

test('tries at once when the network is back, in the middle of a backoff', async () => {
  const server = scriptedServer(unreachable);
  const { tasks, platform, plugin } = device({ transport: server.transport, platform: new SteadyPlatform() });
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(30_000);
  platform.setOnline(false);
  server.script = (request) => appliedAll(request);
  platform.setOnline(true);
  await platform.advance(0);
  expect(plugin.client.status.pending).toBe(0);
});

test('starts offline on a device without a network', async () => {
  const platform = new TestPlatform();
  platform.setOnline(false);
  const { tasks, plugin } = device({ transport: scriptedServer().transport, platform });
  tasks.records.create('t1', { title: 'one' });
  expect(plugin.client.status).toMatchObject({ state: 'offline', pending: 1 });
});

test('sends nothing while it is paused, and never two requests at once after it', async () => {
  let underWay = 0;
  let most = 0;
  const answers: (() => void)[] = [];
  const server = scriptedServer(async (request) => {
    most = Math.max(most, ++underWay);
    await new Promise<void>((resolve) => answers.push(resolve));
    underWay -= 1;
    return appliedAll(request);
  });
  const { tasks, platform, plugin } = device({ transport: server.transport });
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(100);
  plugin.client.pause();
  expect([await tasks.sync(), plugin.client.status.state]).toEqual([null, 'paused']);
  await platform.advance(100_000);
  expect(server.requests.length).toBe(1);

  answers.shift()?.();
  await platform.advance(0);
  plugin.client.resume();
  plugin.client.pause();
  plugin.client.resume();
  await platform.advance(0);
  answers.shift()?.();
  await platform.advance(0);
  expect([most, server.requests.length, plugin.client.status]).toEqual([
    1,
    2,
    expect.objectContaining({ state: 'idle', pending: 0 }),
  ]);
});

test('takes in what it has received before it goes on after a pause', async () => {
  let merge = () => {};
  const onConflict = () =>
    new Promise<undefined>((resolve) => {
      merge = () => resolve(undefined);
    });
  const server = scriptedServer((request, call) =>
    call === 1 ? conflictAll(request) : appliedAll(request, { checkpoint: `c${call}` }),
  );
  const { tasks, plugin, platform } = device({ transport: server.transport, onConflict });
  tasks.records.create('t1', { title: 'one' });
  const synced = tasks.sync();
  await platform.advance(0);
  plugin.client.pause();
  plugin.client.resume();
  await platform.advance(0);
  const whileDeciding = server.requests.length;
  merge();
  await synced;
  await platform.advance(0);
  expect([whileDeciding, server.requests.map(({ mutations }) => mutations.length), tasks.conflicts.size]).toEqual([
    1,
    [1, 0],
    1,
  ]);
});

test('a sync that is joined at its very end still includes what was recorded before', async () => {
  for (let hops = 0; hops < 12; hops++) {
    const server = scriptedServer((request, call) => appliedAll(request, { checkpoint: `c${call}` }));
    const { tasks, plugin } = device({ transport: server.transport });
    tasks.records.create('t1', { title: 'one' });
    const join = async () => {
      for (let hop = 0; hop < hops; hop++) await Promise.resolve();
      tasks.records.create('t2', { title: 'two' });
      await tasks.sync();
      return plugin.client.status.pending;
    };
    let joined: Promise<number> | undefined;
    plugin.client.subscribeStatus(({ pending }) => {
      if (server.requests.length > 0 && pending === 0) joined ??= join();
    });
    await tasks.sync();
    expect([hops, await joined]).toEqual([hops, 0]);
  }
});

test('pauses for a sign-in, keeps everything, and goes on with resume, an explicit sync or a look at the app', async () => {
  for (const goOn of ['resume', 'sync', 'look'] as const) {
    const server = scriptedServer(() => {
      throw new TransportError('Who are you?', { type: 'refused', status: 401 });
    });
    const { tasks, platform, plugin } = device({ transport: server.transport });
    tasks.records.create('t1', { title: 'one' });
    await platform.advance(1_000_000);
    expect([server.requests.length, plugin.client.status]).toEqual([
      1,
      expect.objectContaining({ state: 'needs-auth', why: 'unauthenticated', pending: 1, attention: true }),
    ]);
    tasks.records.create('t2', { title: 'two' });
    server.script = (request) => appliedAll(request);
    if (goOn === 'resume') plugin.client.resume();
    else if (goOn === 'sync') await tasks.sync();
    else platform.wake();
    await platform.advance(0);
    expect(plugin.client.status).toMatchObject({ state: 'idle', pending: 0, attention: false });
  }
});

test('never sends one user’s log as another’s', async () => {
  const server = scriptedServer(() => ({ error: { code: 'WRONG_PRINCIPAL', message: 'Not yours.' } }));
  const { tasks, platform, plugin } = device({ transport: server.transport });
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(1_000_000);
  expect([server.requests.length, plugin.client.status]).toEqual([
    1,
    expect.objectContaining({ state: 'needs-auth', why: 'wrong-user', pending: 1 }),
  ]);
  platform.setOnline(true);
  await platform.advance(1_000_000);
  expect(server.requests.length).toBe(1);
});

test('forgets a scheduled sync when asked to, until there is a reason for one', async () => {
  const server = scriptedServer();
  const { tasks, platform } = device({ transport: server.transport });
  tasks.records.create('t1', { title: 'one' });
  tasks.cancelScheduledSync();
  await platform.advance(100_000);
  expect(server.requests.length).toBe(0);
  tasks.records.create('t2', { title: 'two' });
  await platform.advance(100);
  expect(server.requests.map(({ mutations }) => mutations.length)).toEqual([2]);
});

test('closes for good: ends the request, keeps what was recorded, and leaves no timer', async () => {
  const server = scriptedServer(() => new Promise(() => {}));
  const { tasks, platform, plugin, storage } = device({ transport: server.transport });
  const { id } = tasks.records.create('t1', { title: 'one' });
  const outcome = expect(tasks.settled(id)).rejects.toMatchObject({ code: 'CLOSED' });
  await platform.advance(100);
  tasks.records.create('t2', { title: 'two' });
  await tasks.close();
  await outcome;
  expect([(await storage.load()).entries.length, platform.pendingTimersMs, plugin.client.status.state]).toEqual([
    2,
    [],
    'closed',
  ]);
  expect(() => tasks.records.create('t3', {})).toThrow('The client is closed');
  expect([await tasks.sync(), server.requests.length]).toEqual([null, 1]);
});

test('lets a listener for server changes close the client and wait for it, and takes the changes at the next start', async () => {
  const server = scriptedServer((request) => appliedAll(request, { serverChanges: [change('t1', 1)] }));
  const first = device({
    transport: server.transport,
    listeners: [{ onServerChanges: () => first.plugin.client.close() }],
  });
  expect(await first.tasks.sync()).toBeNull();
  const next = device({ transport: server.transport, storage: first.storage });
  expect([await next.seen(), next.tasks.getCheckpoint()]).toEqual([{}, null]);
  await next.tasks.sync();
  expect([await next.seen(), next.tasks.getCheckpoint()]).toEqual([{ t1: 't1' }, 'c1']);
});

test('lets a listener that is called while the client closes wait for the close', async () => {
  const server = scriptedServer((request) => appliedAll(request, { serverChanges: [change('t1', 1)] }));
  let closing: Promise<void> | undefined;
  const first = device({
    transport: server.transport,
    listeners: [
      {
        onServerChanges: () => {
          closing = first.plugin.client.close();
        },
      },
      { onServerChanges: () => first.plugin.client.close() },
    ],
  });
  await first.tasks.sync();
  await closing;
  const next = device({ transport: server.transport, storage: first.storage });
  expect([await next.seen(), next.tasks.getCheckpoint(), first.platform.pendingTimersMs]).toEqual([{}, null, []]);
});
