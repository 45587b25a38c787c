import { expect, it, onTestFinished } from 'vitest';
import { TestPlatform } from '../platform/test-platform.js';
import { startServer } from './http-server.fixture.js';
import { httpTransport } from './http-transport.js';

const REQUEST = { clientId: 'device-1', mutations: [], lastCheckpoint: null };
const ANSWER = { results: [], serverChanges: [], checkpoint: 'c1' };

/** A push whose answer comes in parts, each 20 s after the device has got the one before. */
async function pushPartByPart(parts: string[]) {
  const platform = new TestPlatform();
  let send = (_part: string | undefined) => {};
  const server = await startServer((response) => {
    send = (part) => void (part === undefined ? response.end() : response.write(part));
    response.flushHeaders();
  });
  onTestFinished(() => server.close());
  const startedAt = platform.now();
  const onProgress = () => void platform.advance(20_000).then(() => send(parts.shift()));
  const { signal } = new AbortController();
  const ended = await httpTransport({ url: server.url, platform })
    .push(REQUEST, { signal, onProgress })
    .catch((error: unknown) => error);
  return { ended, tookMs: platform.now() - startedAt, timers: platform.pendingTimersMs };
}

it('reads an answer to its end as long as parts of it arrive, however long that takes together', async () => {
  const parts = JSON.stringify(ANSWER).match(/.{1,8}/g) ?? [];
  const tookMs = 20_000 * (parts.length + 1);
  expect(await pushPartByPart([...parts])).toEqual({ ended: ANSWER, tookMs, timers: [] });
});

it('gives up an answer that comes without an end when ten times the time is over', async () => {
  const ended = { failure: { type: 'timeout' }, message: 'The server did not answer within 300000 ms.' };
  expect(await pushPartByPart(Array(20).fill(' '))).toEqual({
    ended: expect.objectContaining(ended),
    tookMs: 300_000,
    timers: [],
  });
});
