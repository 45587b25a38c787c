/** I13: what failed is tried again, or says what it waits for. */
import { REQUEST_TIMEOUT_MS } from '@objectql/sync-types';
import { expect, onTestFinished, test, vi } from 'vitest';
import { TestPlatform } from '../../src/platform/test-platform.js';
import { ReasonlessAbortController } from '../../src/transport/reasonless-abort.fixture.js';
import { device } from '../fixtures/device.js';
import { applies, hangs, isGone, RawAnswer, refuses, rejects, type Step } from '../fixtures/scripted-server.js';

/** Full jitter without the luck: always the longest delay. */
class SteadyPlatform extends TestPlatform {
  override random(): number {
    return 0.999_999_9;
  }
}

test('tries again with doubling delays, and never gives up', async () => {
  const platform = new SteadyPlatform();
  let last = platform.now();
  const delays: number[] = [];
  const notesWhen: Step = (...call) => {
    delays.push(platform.now() - last);
    last = platform.now();
    return isGone(...call);
  };
  const { tasks, server } = device({ otherwise: notesWhen, platform });
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(250_000);
  expect(delays).toEqual([100, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
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

test.each<[string, number, number]>([
  ['of which nothing more comes for 30 seconds', 1, 60_000],
  ['that comes without an end after 5 minutes', Number.POSITIVE_INFINITY, 300_000],
])('gives an answer up %s', async (_, parts, afterMs) => {
  const drips: Step = async (_request, server, options) => {
    for (let part = 0; part < parts; part++) {
      await server.wait(20_000);
      options?.onProgress?.();
    }
    return new Promise(() => {});
  };
  const { tasks, platform, heard } = device({ otherwise: drips });
  const syncing = tasks.sync();
  await platform.advance(afterMs - 1);
  const before = [...heard];
  await platform.advance(1);
  expect([before, heard, await syncing]).toEqual([
    ['start'],
    ['start', `error: The server did not answer within ${afterMs} ms.`],
    null,
  ]);
});

test('asks for one change at a time behind an answer of which parts came for minutes in vain', async () => {
  const drips: Step = async (_request, server, options) => {
    for (;;) {
      await server.wait(20_000);
      options?.onProgress?.();
    }
  };
  const { tasks, platform, server } = device({ script: [drips] });
  void tasks.sync();
  await platform.advance(300_000);
  await tasks.sync();
  expect(server.requests.map(({ limit }) => limit)).toEqual([undefined, 1]);
});

test('takes no sleep of the device for a line that brings nothing', async () => {
  const { tasks, platform, server } = device({ script: [hangs] });
  for (let n = 0; n < 40; n++) tasks.records.create(`t${n}`, {});
  void tasks.sync();
  await platform.advance(1000);
  platform.sleep(600_000);
  await platform.advance(60_000);
  expect(server.requests.map(({ mutations }) => mutations?.length)).toEqual([40, 20, 20]);
});

test('waits for an answer as long as parts of it arrive, and asks for fewer changes behind one that took long', async () => {
  const takesAMinute: Step = async (request, server, options) => {
    for (let part = 0; part < 3 && server.requests.length === 1; part++) {
      await server.wait(20_000);
      options?.onProgress?.();
    }
    const time = server.requests.length === 1 ? { serverTime: new Date(platform.now()).toISOString() } : {};
    return { results: server.apply(request), hasMore: server.requests.length < 3, ...time };
  };
  const { tasks, platform, server, heard } = device({ otherwise: takesAMinute });
  const syncing = tasks.sync();
  await platform.advance(60_000);
  await syncing;
  expect([server.requests.map(({ limit }) => limit), heard, tasks.status.clockSkewMs]).toEqual([
    [undefined, 250, undefined],
    ['start', 'complete'],
    // Half of that minute is not what the clock is ahead.
    null,
  ]);
});

test('I13 gives a request up where signals keep no reason, as in React Native', async () => {
  vi.stubGlobal('AbortController', ReasonlessAbortController);
  onTestFinished(() => void vi.unstubAllGlobals());
  const { edit, platform, server, tasks, heard } = device({ script: [hangs] });
  edit();
  await platform.advance(60_000);
  const { pending } = tasks.status;
  expect([server.requests.length, pending, heard]).toEqual([
    2,
    0,
    ['start', 'error: The server did not answer within 30000 ms.', 'start', 'complete'],
  ]);
});

test('brings the next try forward for no later mutation', async () => {
  const { edit, platform, server } = device({ script: [refuses(503, 'BUSY', 90_000)] });
  edit();
  await platform.advance(1000);
  edit('t2');
  await platform.advance(80_000);
  expect(server.requests.length).toBe(1);
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

test('knows a request without valid credentials by its body alone, for transports that hand over nothing else', async () => {
  const body = { error: { code: 'UNAUTHENTICATED', message: 'Sign in.' } };
  // A transport as the guide shows it returns whatever JSON came back.
  const { edit, tasks } = device({ transport: { push: async () => body as never } });
  edit();
  await tasks.sync();
  expect(tasks.status.state).toBe('needs-auth');
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

test('waits for a held record as long as the server says', async () => {
  const { tasks, platform } = device({
    otherwise: rejects({ code: 'INTERNAL', retryable: true, retryAfterMs: 90_000 }),
  });
  tasks.records.create('t1', { title: 'one' });
  await tasks.sync();
  expect(tasks.status).toMatchObject({ state: 'waiting', until: platform.now() + 90_000 });
});
