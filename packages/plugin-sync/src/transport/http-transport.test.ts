import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { SyncPushRequest } from '@objectql/sync-types';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { TestPlatform } from '../platform/test-platform.js';
import { type ReceivedRequest, startServer, type TestServer } from './http-server.fixture.js';
import { type HttpTransportOptions, httpTransport } from './http-transport.js';
import { ReasonlessAbortController } from './reasonless-abort.fixture.js';
import { TransportError, type TransportFailure } from './transport.js';

const REQUEST: SyncPushRequest = { clientId: 'device-1', mutations: [], lastCheckpoint: null, protocol: 2 };
const LARGE_REQUEST: SyncPushRequest = {
  ...REQUEST,
  objects: Array.from({ length: 100 }, (_, n) => `object-number-${n}`),
};
const ANSWER = { results: [], serverChanges: [], checkpoint: 'c1' };

let server: TestServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function serve(answer: (response: ServerResponse, request: ReceivedRequest) => void): Promise<TestServer> {
  server = await startServer(answer);
  return server;
}

/** A server that leaves requests without an answer, and a promise that the first one has come. */
async function serveSilence(stall: (response: ServerResponse) => void = () => {}) {
  let ask = () => {};
  const asked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const { url, requests } = await serve((response) => {
    stall(response);
    ask();
  });
  return { url, requests, asked };
}

const answerOk = (response: ServerResponse) => void response.end(JSON.stringify(ANSWER));

/** How a push fails against a server that answers like this. */
async function failureOf(
  answer: (response: ServerResponse) => void,
  options?: Partial<HttpTransportOptions>,
): Promise<TransportFailure> {
  const { url } = await serve(answer);
  return rejection(httpTransport({ url, ...options }).push(REQUEST)).then((error) => error.failure);
}

async function rejection(push: Promise<unknown>): Promise<TransportError> {
  return push.then(
    () => {
      throw new Error('The push was answered.');
    },
    (error) => {
      expect(error).toMatchObject({ name: 'TransportError' });
      return error;
    },
  );
}

describe('httpTransport', () => {
  it('tells where the next page begins before it has read the answer', async () => {
    let end = () => {};
    const { url } = await serve((response) => {
      response.setHeader('sync-next-page', 'c1').flushHeaders();
      end = () => answerOk(response);
    });
    const told: string[] = [];
    const onNextPage = (checkpoint: string) => {
      told.push(checkpoint);
      end();
    };
    const { mutations, ...pullRequest } = REQUEST;
    const answer = await httpTransport({ url }).pull?.(pullRequest, {
      signal: new AbortController().signal,
      onNextPage,
    });
    expect([told, answer]).toEqual([['c1'], ANSWER]);
  });

  it('posts a push and a pull to their paths and hands back the answer', async () => {
    const { url, requests } = await serve(answerOk);
    const transport = httpTransport({
      url: `${url}/api/sync/`,
      headers: { 'X-App': 'demo', 'Content-Type': 'text/plain' },
    });
    const { mutations, ...pullRequest } = REQUEST;
    expect([await transport.push(REQUEST), await transport.pull?.(pullRequest)]).toEqual([ANSWER, ANSWER]);
    expect(requests.map(({ method, path, body }) => ({ method, path, body }))).toEqual([
      { method: 'POST', path: '/api/sync/push', body: REQUEST },
      { method: 'POST', path: '/api/sync/pull', body: pullRequest },
    ]);
    expect(requests[0]?.headers).toMatchObject({
      accept: 'application/json',
      'content-type': 'application/json',
      'x-app': 'demo',
    });
    expect(requests[0]?.headers).not.toHaveProperty('authorization');
  });

  it('asks for the token at each request, and sends none when there is none', async () => {
    const { url, requests } = await serve(answerOk);
    const tokens = ['first', null, 'third'];
    const transport = httpTransport({ url, token: async () => tokens.shift() ?? null });
    for (let push = 0; push < 3; push++) await transport.push(REQUEST);
    await httpTransport({ url, token: 'fixed' }).push(REQUEST);
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer first',
      undefined,
      'Bearer third',
      'Bearer fixed',
    ]);
  });

  it('counts a token that cannot be had as no network, and keeps it out of messages', async () => {
    const { url } = await serve(answerOk);
    const refused = await rejection(
      httpTransport({ url, token: () => Promise.reject(new Error('offline')) }).push(REQUEST),
    );
    expect(refused).toMatchObject({ failure: { type: 'unreachable' }, cause: { message: 'offline' } });
    const secret = await rejection(httpTransport({ url, token: 'se\ncret' }).push(REQUEST));
    expect(secret.failure).toEqual({ type: 'unreachable' });
    expect(secret.message).not.toContain('cret');
  });

  it('compresses large bodies, and reads compressed answers', async () => {
    const { url, requests } = await serve((response) => {
      response.setHeader('content-encoding', 'gzip').end(gzipSync(JSON.stringify(ANSWER)));
    });
    expect(await httpTransport({ url }).push(LARGE_REQUEST)).toEqual(ANSWER);
    await httpTransport({ url }).push(REQUEST);
    await httpTransport({ url, compress: false }).push(LARGE_REQUEST);
    expect(requests.map(({ headers, body }) => [headers['content-encoding'], body])).toEqual([
      ['gzip', LARGE_REQUEST],
      [undefined, REQUEST],
      [undefined, LARGE_REQUEST],
    ]);
    expect(Number(requests[0]?.headers['content-length'])).toBeLessThan(JSON.stringify(LARGE_REQUEST).length / 2);
  });

  for (const status of [415, 400]) {
    it(`sends plain bodies to a server that refuses compressed ones with ${status}, from then on`, async () => {
      const { url, requests } = await serve((response, { headers }) => {
        if (headers['content-encoding']) response.writeHead(status).end('?');
        else answerOk(response);
      });
      const transport = httpTransport({ url });
      expect([await transport.push(LARGE_REQUEST), await transport.push(LARGE_REQUEST)]).toEqual([ANSWER, ANSWER]);
      expect(requests.map(({ headers }) => headers['content-encoding'])).toEqual(['gzip', undefined, undefined]);
    });
  }

  it('hands on the refusal of a request that is malformed also without compression', async () => {
    const { url, requests } = await serve((response) => {
      response.writeHead(400).end('{"error":{"code":"MALFORMED","message":"no"}}');
    });
    const transport = httpTransport({ url });
    for (let push = 0; push < 2; push++) {
      const { failure } = await rejection(transport.push(LARGE_REQUEST));
      expect(failure).toEqual({ type: 'refused', status: 400, code: 'MALFORMED' });
    }
    expect(requests.map(({ headers }) => headers['content-encoding'])).toEqual(['gzip', undefined, 'gzip', undefined]);
  });

  it('sends cookies as it is told', async () => {
    const seen: (RequestCredentials | undefined)[] = [];
    const fetch: typeof globalThis.fetch = async (_, init) => {
      seen.push(init?.credentials);
      return new Response(JSON.stringify(ANSWER));
    };
    await httpTransport({ url: '/api/sync', fetch }).push(REQUEST);
    await httpTransport({ url: '/api/sync', fetch, credentials: 'include' }).push(REQUEST);
    expect(seen).toEqual([undefined, 'include']);
  });

  it('reads answers where responses have no stream, as in React Native', async () => {
    const fetch: typeof globalThis.fetch = async () => {
      const response = new Response(JSON.stringify(ANSWER));
      return new Proxy(response, {
        get: (target, name) => {
          if (name === 'body') return undefined;
          const value = Reflect.get(target, name, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    };
    expect(await httpTransport({ url: '/api/sync', fetch }).push(REQUEST)).toEqual(ANSWER);
    for (const maxAnswerBytes of [5, Number.NaN]) {
      const { failure } = await rejection(httpTransport({ url: '/api/sync', fetch, maxAnswerBytes }).push(REQUEST));
      expect(failure).toEqual({ type: 'unreadable' });
    }
  });

  it('says why it gave up where signals keep no reason, as in React Native', async () => {
    vi.stubGlobal('AbortController', ReasonlessAbortController);
    onTestFinished(() => void vi.unstubAllGlobals());
    const platform = new TestPlatform();
    const fetch: typeof globalThis.fetch = () => new Promise(() => {});
    const late = rejection(httpTransport({ url: '/api/sync', fetch, timeoutMs: 1000, platform }).push(REQUEST));
    await platform.advance(1000);
    const controller = new AbortController();
    const { signal } = controller;
    const ended = rejection(httpTransport({ url: '/api/sync', fetch }).push(REQUEST, { signal }));
    controller.abort();
    expect([(await late).failure, (await ended).failure]).toEqual([{ type: 'timeout' }, { type: 'aborted' }]);
  });
});

describe('the stream of httpTransport', () => {
  it('is asked for from where the client stands, as the user of this moment', async () => {
    const { url, requests } = await serve((response) => void response.end());
    let count = 0;
    const transport = httpTransport({ url, token: () => `token-${++count}`, headers: { 'x-tenant': 'a' } });
    const { signal } = new AbortController();
    await transport.stream?.('2.a&b.1.0.', { signal });
    await transport.stream?.('2.a&b.1.0.', { signal });
    const asked = requests.map(({ method, path, headers, body }) => [
      method,
      path,
      ...[headers.authorization, headers.accept, headers['x-tenant'], headers['content-type'], body],
    ]);
    expect(asked).toEqual(
      ['Bearer token-1', 'Bearer token-2'].map((bearer) => [
        ...['GET', '/stream?checkpoint=2.a%26b.1.0.', bearer, 'text/event-stream', 'a', undefined, undefined],
      ]),
    );
  });

  it('is the response as soon as it begins, whatever its status, and ends with its signal', async () => {
    const { url } = await serve((response) => {
      response.statusCode = 429;
      response.write(':\n\n');
    });
    const end = new AbortController();
    const response = await httpTransport({ url }).stream?.('', { signal: end.signal });
    const reader = response?.body?.getReader();
    const first = await reader?.read();
    end.abort();
    await expect(reader?.read()).rejects.toThrow('aborted');
    expect([response?.status, new TextDecoder().decode(first?.value)]).toEqual([429, ':\n\n']);
  });
});

describe('httpTransport tells apart', () => {
  const errorBody = (error: unknown) => JSON.stringify({ error });

  it('an error of a sync server, by status and code', async () => {
    const failure = await failureOf((response) => {
      response.writeHead(401).end(errorBody({ code: 'UNAUTHENTICATED', message: 'Sign in first.' }));
    });
    expect(failure).toEqual({ type: 'refused', status: 401, code: 'UNAUTHENTICATED' });
  });

  it('an error of something in between, by its status', async () => {
    for (const [status, body] of [
      [401, ''],
      [413, '<html><h1>413 Request Entity Too Large</h1></html>'],
      [502, 'Bad Gateway'],
      [403, errorBody({ code: 'NOT_OURS', message: 'no' })],
      [500, 'null'],
    ] as const) {
      expect(await failureOf((response) => void response.writeHead(status).end(body))).toEqual({
        type: 'refused',
        status,
      });
      await server?.close();
    }
  });

  it('how long to wait, by seconds, by date or by the body', async () => {
    const now = Date.UTC(2026, 0, 1, 12, 0, 0);
    const inAMinute = new Date(now + 60_000).toUTCString();
    const cases: readonly [Readonly<Record<string, string>>, string, number | undefined][] = [
      [{ 'retry-after': '7' }, '', 7000],
      [{ 'retry-after': '0' }, '', 0],
      [{ 'retry-after': inAMinute }, '', 60_000],
      // The device's clock is half a minute behind the server's.
      [{ 'retry-after': inAMinute, date: new Date(now + 30_000).toUTCString() }, '', 30_000],
      [{ 'retry-after': new Date(now - 1000).toUTCString() }, '', 0],
      [{ 'retry-after': 'soon' }, '', undefined],
      [{ 'retry-after': '-1' }, '', undefined],
      [{ 'retry-after': '2' }, errorBody({ code: 'RATE_LIMITED', message: 'slow', retryAfterMs: 1234 }), 1234],
    ];
    for (const [headers, body, retryAfterMs] of cases) {
      const failure = await failureOf(
        (response) => {
          response.sendDate = false;
          response.writeHead(429, headers).end(body);
        },
        { platform: new TestPlatform({ now }) },
      );
      expect(failure).toEqual({
        type: 'refused',
        status: 429,
        ...(body ? { code: 'RATE_LIMITED' } : {}),
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      });
      await server?.close();
    }
  });

  it('an answer that is none: a login page, nothing, half of the JSON, too much of it', async () => {
    const unreadable = { type: 'unreadable' };
    for (const body of [
      '<!doctype html><title>Sign in to the café</title>',
      '',
      '{"results":[],"serverCh',
      'undefined',
    ]) {
      expect(await failureOf((response) => void response.end(body))).toEqual(unreadable);
      await server?.close();
    }
    for (const maxAnswerBytes of [10, Number.NaN]) {
      expect(await failureOf(answerOk, { maxAnswerBytes })).toEqual(unreadable);
    }
  });

  it('an answer without an end, by its size after decompression', async () => {
    const bomb = gzipSync(Buffer.alloc(4 * 1024 * 1024, ' '));
    const failure = await failureOf((response) => void response.setHeader('content-encoding', 'gzip').write(bomb), {
      maxAnswerBytes: 1024 * 1024,
    });
    expect(failure).toEqual({ type: 'unreadable' });
  });

  it('a server that is not there, hangs up, or dies in the middle of its answer', async () => {
    const unreachable = { type: 'unreachable' };
    const { url } = await serve(answerOk);
    await server?.close();
    expect((await rejection(httpTransport({ url }).push(REQUEST))).failure).toEqual(unreachable);
    expect(await failureOf((response) => void response.socket?.resetAndDestroy())).toEqual(unreachable);
    await server?.close();
    const dying = await failureOf((response) => {
      response.setHeader('content-length', 1000);
      response.write('{"results":[', () => response.socket?.destroy());
    });
    expect(dying).toEqual(unreachable);
  });

  it('silence, when the time is over', async () => {
    const platform = new TestPlatform();
    const { url, asked } = await serveSilence();
    const push = rejection(httpTransport({ url, platform }).push(REQUEST));
    await asked;
    await platform.advance(29_999);
    expect(platform.pendingTimersMs).toEqual([1]);
    await platform.advance(1);
    expect(await push).toMatchObject({ failure: { type: 'timeout' }, message: expect.stringContaining('30000 ms') });
    expect(platform.pendingTimersMs).toEqual([]);
  });

  it('a stalled answer and a stalled token provider from an answer, when the time is over', async () => {
    const platform = new TestPlatform();
    const { url, asked } = await serveSilence((response) => void response.write('{'));
    const stalled = rejection(httpTransport({ url, platform, timeoutMs: 10 }).push(REQUEST));
    const tokenless = rejection(
      httpTransport({ url, platform, timeoutMs: 10, token: () => new Promise(() => {}) }).push(REQUEST),
    );
    await asked;
    // Twice the time, in the first half of which the head may have arrived.
    await platform.advance(20);
    expect([(await stalled).failure, (await tokenless).failure]).toEqual([{ type: 'timeout' }, { type: 'timeout' }]);
  });

  it('a request that the client ended, before or while it was sent', async () => {
    const platform = new TestPlatform();
    const { url, requests, asked } = await serveSilence();
    const transport = httpTransport({ url, platform });
    const controller = new AbortController();
    const push = rejection(transport.push(REQUEST, { signal: controller.signal }));
    await asked;
    controller.abort();
    expect((await push).failure).toEqual({ type: 'aborted' });
    const late = await rejection(transport.push(REQUEST, { signal: controller.signal }));
    expect(late.failure).toEqual({ type: 'aborted' });
    expect([requests.length, platform.pendingTimersMs]).toEqual([1, []]);
  });

  it('a request ended with a reason of its own', async () => {
    const reason = new TransportError('The server did not answer within 5 ms.', { type: 'timeout' });
    const push = httpTransport({ url: '/api/sync' }).push(REQUEST, { signal: AbortSignal.abort(reason) });
    expect(await rejection(push)).toBe(reason);
  });
});
