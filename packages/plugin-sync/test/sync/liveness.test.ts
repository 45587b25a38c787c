/** I13: what is pending is under way, has a timer, or says what it waits for. */
import { REQUEST_TIMEOUT_MS } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import { TestPlatform } from '../../src/platform/test-platform.js';
import { type Device, device } from '../fixtures/device.js';
import {
  applies,
  appliesWith,
  change,
  conflicts,
  hangs,
  isGone,
  RawAnswer,
  refuses,
  type Step,
} from '../fixtures/scripted-server.js';
import { turns } from '../fixtures/turns.js';

/** Full jitter without the luck: always the longest delay. */
class SteadyPlatform extends TestPlatform {
  override random(): number {
    return 0.999_999_9;
  }
}

test('sends after the debounce of the object, and gathers what comes meanwhile', async () => {
  const { tasks, platform, server } = device();
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(60);
  tasks.records.create('t2', { title: 'two' });
  await platform.advance(99);
  expect(server.requests.length).toBe(0);
  await platform.advance(1);
  expect(server.requests.map(({ mutations }) => mutations.length)).toEqual([2]);
});

test('asks for what the server has when records are watched for the first time, and once', async () => {
  const { tasks, platform, seen, server } = device({ otherwise: appliesWith({ serverChanges: [change('t1')] }) });
  for (const watch of [() => tasks.records.subscribe(() => {}), () => tasks.records.subscribe('t1', () => {})]) {
    const stop = watch();
    await platform.advance(0);
    stop();
  }
  expect([await seen(), server.requests.length]).toEqual([{ t1: 't1' }, 1]);
});

test('sends a steady stream of edits after ten seconds at the latest', async () => {
  const { tasks, platform, server } = device();
  for (let index = 0; index < 210; index++) {
    tasks.records.create(`t${index}`, { title: 'x' });
    await platform.advance(50);
  }
  expect(server.requests[0]?.mutations.length).toBe(50);
});

test('sends what was recorded while a request was under way, without another call', async () => {
  let release = () => {};
  const waits: Step = (request, server) =>
    new Promise((resolve) => {
      release = () => resolve({ results: server.apply(request) });
    });
  const { tasks, platform, server } = device({ script: [waits] });
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(100);
  // Recorded at the very moment the answer arrives: not durable yet when the sync ends.
  release();
  tasks.records.create('t2', { title: 'two' });
  await platform.advance(1000);
  expect([server.requests.length, tasks.status.pending]).toEqual([2, 0]);
});

test('tries again with doubling delays, and never gives up', async () => {
  const platform = new SteadyPlatform();
  const { tasks, server } = device({ otherwise: isGone, platform });
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
  server.otherwise = applies;
  await platform.advance(60_000);
  expect(tasks.status).toMatchObject({ state: 'idle', pending: 0, lastError: null });
});

test('waits as long as the server asks, and no shorter, though the network comes and goes', async () => {
  const error = { code: 'RATE_LIMITED', message: 'Slow down.', retryAfterMs: 120_000 };
  const { tasks, platform, server } = device({ otherwise: () => new RawAnswer({ error }) });
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(100);
  expect(tasks.status).toMatchObject({ state: 'waiting', until: platform.now() + 120_000 });
  await platform.advance(60_000);
  platform.setOnline(false);
  platform.setOnline(true);
  await platform.advance(59_999);
  expect(server.requests.length).toBe(1);
  await platform.advance(1);
  expect(server.requests.length).toBe(2);
});

test('gives a request up after 30 seconds, also when the transport ignores the signal', async () => {
  const { tasks, platform, heard, server } = device({ otherwise: hangs });
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(100 + REQUEST_TIMEOUT_MS);
  expect(heard).toEqual(['start', 'error: The server did not answer within 30000 ms.']);
  server.otherwise = applies;
  await platform.advance(1000);
  expect(heard.at(-1)).toBe('complete');
});

test('waits for the network without a timer, and tries at once when it is back', async () => {
  const { tasks, platform, server } = device();
  platform.setOnline(false);
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(100_000);
  expect([tasks.status.state, server.requests.length, platform.pendingTimersMs]).toEqual(['offline', 0, []]);
  platform.setOnline(true);
  await platform.advance(0);
  expect([tasks.status.state, server.requests.length]).toEqual(['idle', 1]);
});

test('tries at once when the network is back, in the middle of a backoff', async () => {
  const { tasks, platform, server } = device({ otherwise: isGone, platform: new SteadyPlatform() });
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(30_000);
  platform.setOnline(false);
  server.otherwise = applies;
  platform.setOnline(true);
  await platform.advance(0);
  expect(tasks.status.pending).toBe(0);
});

test('starts offline on a device without a network', async () => {
  const platform = new TestPlatform();
  platform.setOnline(false);
  const { tasks } = device({ platform });
  tasks.records.create('t1', { title: 'one' });
  expect(tasks.status).toMatchObject({ state: 'offline', pending: 1 });
});

test('sends nothing while it is paused, and never two requests at once after it', async () => {
  const answers: (() => void)[] = [];
  const { tasks, platform, server } = device({
    otherwise: async (request, server) => {
      await new Promise<void>((resolve) => answers.push(resolve));
      return applies(request, server);
    },
  });
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(100);
  tasks.pause();
  expect([await tasks.sync(), tasks.status.state]).toEqual([null, 'paused']);
  await platform.advance(100_000);
  expect(server.requests.length).toBe(1);

  answers.shift()?.();
  await platform.advance(0);
  tasks.resume();
  tasks.pause();
  tasks.resume();
  await platform.advance(0);
  answers.shift()?.();
  await platform.advance(0);
  expect([server.mostAtOnce, server.requests.length, tasks.status]).toEqual([
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
  const parks = conflicts({ strategy: 'manual', serverVersion: 3 });
  const { tasks, platform, server } = device({ script: [parks], onConflict });
  tasks.records.create('t1', { title: 'one' });
  const synced = tasks.sync();
  await platform.advance(0);
  tasks.pause();
  tasks.resume();
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
    const { tasks, server } = device();
    tasks.records.create('t1', { title: 'one' });
    const join = async () => {
      await turns(hops);
      tasks.records.create('t2', { title: 'two' });
      await tasks.sync();
      return tasks.status.pending;
    };
    let joined: Promise<number> | undefined;
    tasks.subscribeStatus(({ pending }) => {
      if (server.requests.length > 0 && pending === 0) joined ??= join();
    });
    await tasks.sync();
    expect([hops, await joined]).toEqual([hops, 0]);
  }
});

test('pauses for a sign-in, keeps everything, and goes on with resume, an explicit sync or a look at the app', async () => {
  for (const goOn of ['resume', 'sync', 'look'] as const) {
    const { tasks, platform, server } = device({ otherwise: refuses(401) });
    tasks.records.create('t1', { title: 'one' });
    await platform.advance(1_000_000);
    expect([server.requests.length, tasks.status]).toEqual([
      1,
      expect.objectContaining({ state: 'needs-auth', why: 'unauthenticated', pending: 1, attention: true }),
    ]);
    tasks.records.create('t2', { title: 'two' });
    server.otherwise = applies;
    if (goOn === 'resume') tasks.resume();
    else if (goOn === 'sync') await tasks.sync();
    else platform.wake();
    await platform.advance(0);
    expect(tasks.status).toMatchObject({ state: 'idle', pending: 0, attention: false });
  }
});

test('never sends one user’s log as another’s', async () => {
  const { tasks, platform, server } = device({
    otherwise: () => new RawAnswer({ error: { code: 'WRONG_PRINCIPAL', message: 'Not yours.' } }),
  });
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(1_000_000);
  expect([server.requests.length, tasks.status]).toEqual([
    1,
    expect.objectContaining({ state: 'needs-auth', why: 'wrong-user', pending: 1 }),
  ]);
  platform.setOnline(true);
  await platform.advance(1_000_000);
  expect(server.requests.length).toBe(1);
});

test('forgets a scheduled sync when asked to, until there is a reason for one', async () => {
  const { tasks, platform, server } = device();
  tasks.records.create('t1', { title: 'one' });
  tasks.cancelScheduledSync();
  await platform.advance(100_000);
  expect(server.requests.length).toBe(0);
  tasks.records.create('t2', { title: 'two' });
  await platform.advance(100);
  expect(server.requests.map(({ mutations }) => mutations.length)).toEqual([2]);
});

test('closes for good: ends the request, keeps what was recorded, and leaves no timer', async () => {
  const { tasks, platform, storage, server } = device({ otherwise: hangs });
  const { id } = tasks.records.create('t1', { title: 'one' });
  const outcome = expect(tasks.settled(id)).rejects.toMatchObject({ code: 'CLOSED' });
  await platform.advance(100);
  tasks.records.create('t2', { title: 'two' });
  await tasks.close();
  await outcome;
  expect([(await storage.load()).entries.length, platform.pendingTimersMs, tasks.status.state]).toEqual([
    2,
    [],
    'closed',
  ]);
  expect(() => tasks.records.create('t3', {})).toThrow('The client is closed');
  expect([await tasks.sync(), server.requests.length]).toEqual([null, 1]);
});

test('lets a listener for server changes close the client and wait for it, and takes the changes at the next start', async () => {
  const first: Device = device({
    otherwise: appliesWith({ serverChanges: [change('t1')], checkpoint: 'c1' }),
    listeners: [{ onServerChanges: () => first.tasks.close() }],
  });
  expect(await first.tasks.sync()).toBeNull();
  const next = device({ transport: first.server, storage: first.storage });
  expect([await next.seen(), next.tasks.getCheckpoint()]).toEqual([{}, null]);
  await next.tasks.sync();
  expect([await next.seen(), next.tasks.getCheckpoint()]).toEqual([{ t1: 't1' }, 'c1']);
});

test('lets a listener that is called while the client closes wait for the close', async () => {
  let closing: Promise<void> | undefined;
  const first: Device = device({
    otherwise: appliesWith({ serverChanges: [change('t1')] }),
    listeners: [
      {
        onServerChanges: () => {
          closing = first.tasks.close();
        },
      },
      { onServerChanges: () => first.tasks.close() },
    ],
  });
  await first.tasks.sync();
  await closing;
  const next = device({ transport: first.server, storage: first.storage });
  expect([await next.seen(), next.tasks.getCheckpoint(), first.platform.pendingTimersMs]).toEqual([{}, null, []]);
});
