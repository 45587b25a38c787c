/** What a client makes of a server that makes no sense, and of what is no answer of a server. */
import { expect, test } from 'vitest';
import { TestPlatform } from '../../src/platform/test-platform.js';
import { device } from '../fixtures/device.js';
import { appliesWith, RawAnswer, refuses, type Step } from '../fixtures/scripted-server.js';

test('does not ask in a loop when the server promises more but stays where it is', async () => {
  const { tasks, server } = device({ otherwise: appliesWith({ hasMore: true, checkpoint: 'c1' }) });
  expect(await tasks.sync()).toBeNull();
  expect([server.requests.length, tasks.status.state]).toEqual([2, 'waiting']);
});

test('takes an HTML page of a captive portal for no answer', async () => {
  const portal = '<html>Please log in to the airport’s network</html>';
  const { tasks } = device({ otherwise: () => new RawAnswer(portal) });
  tasks.records.create('t1', { title: 'one' });
  expect(await tasks.sync()).toBeNull();
  expect(tasks.status).toMatchObject({ state: 'waiting', pending: 1 });
});

test('recognises the refusal of a handler in the same process', async () => {
  const busy = Object.assign(new Error('Busy.'), { code: 'BUSY', status: 503, retryAfterMs: 7000 });
  const { tasks, platform } = device({ otherwise: () => Promise.reject(busy) });
  await tasks.sync();
  expect(tasks.status).toMatchObject({
    state: 'waiting',
    until: platform.now() + 7000,
    lastError: 'Busy.',
  });
});

test('measures how far the device’s clock is off, whose answers take a while', async () => {
  const platform = new TestPlatform();
  const passes = (ms: number) => platform.setClock(platform.now() + ms);
  const answersSlowly: Step = () => {
    passes(4000);
    const serverTime = new Date(platform.now() - 3_600_000).toISOString();
    passes(4000);
    return { serverTime };
  };
  const { tasks } = device({ otherwise: answersSlowly, platform });
  await tasks.sync();
  expect(tasks.status.clockSkewMs).toBe(3_600_000);
});

test('does not ask a server in a loop that starts over with every answer', async () => {
  const { tasks, server } = device({ otherwise: () => ({ reset: 'epoch', hasMore: true }) });
  expect(await tasks.sync()).toBeNull();
  expect([server.requests.length, tasks.status]).toEqual([4, expect.objectContaining({ state: 'waiting' })]);
});

test('does not ask a server in a loop that always calls the log forked', async () => {
  const { server, edit, tasks, platform } = device({ otherwise: guarded(refuses(409, 'LOG_FORKED')) });
  edit();
  void tasks.sync();
  await platform.advance(0);
  expect({ isFew: server.requests.length < 20, pending: tasks.status.pending }).toEqual({ isFew: true, pending: 1 });
});

test('does not ask a server in a loop that finds a pull too large', async () => {
  const { server, tasks, platform } = device({ otherwise: guarded(refuses(413, 'TOO_LARGE')) });
  void tasks.sync();
  await platform.advance(0);
  expect(server.requests.length).toBeLessThan(20);
});

/** Breaks off a loop that would otherwise keep the test from ever ending. */
function guarded(step: Step): Step {
  return (request, server) => {
    if (server.requests.length >= 100) return new Promise(() => {});
    return step(request, server);
  };
}
