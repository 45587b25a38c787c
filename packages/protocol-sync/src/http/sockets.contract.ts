/** What must hold of the sync endpoint behind every HTTP server, over real sockets and against hostile clients. */
import { once } from 'node:events';
import { request as httpRequest, type OutgoingHttpHeaders, type RequestOptions } from 'node:http';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { REQUEST_TIMEOUT_MS } from '@objectql/sync-types';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Platform } from '../platform/platform.js';
import { SyncHandler } from '../sync-handler.js';
import { EventReader } from './event-reader.fixture.js';
import { gatedResolver, PULL_BODY, post, pushBody, seen } from './requests.fixture.js';
import { createSyncEndpoint, type SyncEndpoint, type SyncEndpointOptions } from './sync-endpoint.js';

export interface RunningServer {
  readonly port: number;
  close(): void;
}

export interface ServerTraits {
  readonly name: string;
  /** Serves the endpoint at `/api/sync` on a free port of 127.0.0.1. */
  readonly serve: (endpoint: SyncEndpoint) => Promise<RunningServer>;
  /** True where middleware reads and parses bodies first, and refuses what it cannot read with answers of its own. */
  readonly parsesBodies?: boolean;
}

export function describeHttpServer({ name, serve, parsesBodies = false }: ServerTraits): void {
  async function start(options: Partial<SyncEndpointOptions> = {}) {
    const endpoint = createSyncEndpoint({ handler: new SyncHandler(), ...options });
    const server = await serve(endpoint);
    onTestFinished(() => server.close());
    const { port } = server;
    const url = (action: string) => `http://127.0.0.1:${port}/api/sync/${action}`;
    return { port, url };
  }

  describe(name, () => {
    it('carries a push, and a pull that brings what was pushed', async () => {
      const { url } = await start();
      const pushed = await seen(await fetch(url('push'), post(pushBody())));
      const pulled = await seen(await fetch(url('pull'), post(PULL_BODY)));
      expect([pushed, pulled]).toMatchObject([
        { status: 200, body: { results: [{ status: 'applied', serverVersion: 1 }] } },
        { status: 200, body: { serverChanges: [{ recordId: 'task-1', data: { title: 'Buy milk' } }] } },
      ]);
    });

    it('takes a gzipped push and answers a large page gzipped', async () => {
      const { url } = await start();
      const [mutation] = pushBody().mutations;
      const large = pushBody({
        // A cast, because `mutation` is of an array and the compiler cannot know that it is there.
        mutations: [{ ...mutation, data: { text: 'x'.repeat(50_000) } } as never],
      });
      const body = gzipSync(JSON.stringify(large));
      const pushed = await fetch(url('push'), { ...post('', { 'content-encoding': 'gzip' }), body });
      const pulled = await fetch(url('pull'), post(PULL_BODY, { 'accept-encoding': 'gzip' }));
      expect([pushed.status, pulled.headers.get('content-encoding')]).toEqual([200, 'gzip']);
      expect(await pulled.json()).toMatchObject({ serverChanges: [{ data: { text: 'x'.repeat(50_000) } }] });
    });

    it('tells the handler when the client is gone', async () => {
      const { resolver, reached } = gatedResolver();
      const { url } = await start({ resolver });
      const client = new AbortController();
      const answer = fetch(url('push'), { ...post(pushBody()), signal: client.signal });
      const signal = await reached;
      client.abort();
      await expect(answer).rejects.toThrow('aborted');
      if (!signal.aborted) await once(signal, 'abort');
    });

    it('answers a wrong method, a wrong path and a principal it does not know', async () => {
      const { url } = await start({ authenticate: () => null });
      const statuses = await Promise.all([
        fetch(url('push')),
        fetch(url('push'), { method: 'HEAD' }),
        fetch(url('push'), { method: 'PUT', body: '{}' }),
        fetch(url('stream'), post({})),
        fetch(url('push'), post(pushBody())),
      ]);
      expect(statuses.map(({ status }) => status)).toEqual([405, 405, 405, 404, 401]);
    });

    it('streams a poke for what is pushed, at once, until the server closes', async () => {
      const handler = new SyncHandler();
      const { url } = await start({ handler, realtime: true });
      const stream = await fetch(url('stream'));
      const events = new EventReader(stream);
      const before = await events.place(0);
      await fetch(url('push'), post(pushBody()));
      const after = await events.place(1);
      await handler.close();
      expect([stream.headers.get('content-type'), before, after, await events.next()]).toEqual([
        'text/event-stream',
        0,
        1,
        null,
      ]);
    });

    it('closes the connection behind what it cannot serve now, as the next one may lead to another process', async () => {
      const handler = new SyncHandler();
      const { url } = await start({ handler });
      const served = await fetch(url('pull'), post(PULL_BODY));
      await served.text();
      await handler.close();
      const refused = await fetch(url('pull'), post(PULL_BODY));
      const seenOf = ({ status, headers }: Response) => [status, headers.get('connection')];
      expect([served, refused].map(seenOf)).toEqual([
        [200, 'keep-alive'],
        [503, 'close'],
      ]);
    });

    it('streams to a browser that asks for packed answers as to any other', async () => {
      const { url } = await start({ realtime: true });
      const stream = await fetch(url('stream'), { headers: { 'accept-encoding': 'gzip, br' } });
      const events = new EventReader(stream);
      expect([stream.headers.get('content-encoding'), await events.place(0)]).toEqual([null, 0]);
      await events.cancel();
    });

    it('has room for another stream when the client of one is gone', async () => {
      const { url } = await start({ realtime: true, authenticate: () => ({ id: 'anna' }) });
      const client = new AbortController();
      const { signal } = client;
      const streams = await Promise.all(Array.from({ length: 5 }, () => fetch(url('stream'), { signal })));
      const sixth = await fetch(url('stream'));
      client.abort();
      let next = await fetch(url('stream'));
      // The server learns from its socket that the clients are gone.
      while (next.status === 429) next = await fetch(url('stream'));
      expect([...streams, sixth, next].map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429, 200]);
      await next.body?.cancel();
    });

    it.each([
      ['an array', '[]'],
      ['an object that is no push', '{"mutations":7}'],
      ['six hundred levels', `{"mutations":${'['.repeat(600)}${']'.repeat(600)}}`],
    ])('refuses %s as malformed', async (_what, body) => {
      const { url } = await start();
      const refused = await seen(await fetch(url('push'), post(body)));
      expect(refused).toMatchObject({ status: 400, body: { error: { code: 'MALFORMED' } } });
    });

    it('goes on serving when a client leaves in the middle of its body', async () => {
      const { port, url } = await start();
      const socket = await beginPush(port, { 'content-length': '1000' });
      socket.destroy();
      expect((await fetch(url('push'), post(pushBody()))).status).toBe(200);
    });

    it('goes on serving after what is no HTTP', async () => {
      const { port, url } = await start();
      const socket = await openSocket(port);
      socket.resume().end('\u0000\u0001 not HTTP\r\n\r\n');
      await once(socket, 'close');
      const { status } = await send(port, { method: 'POST', path: '/api/sync/push', headers: { host: 'a b' } });
      expect(status).toBe(400);
      expect((await fetch(url('push'), post(pushBody()))).status).toBe(200);
    });

    if (parsesBodies) return;

    it.each([
      { what: 'text that is not JSON', body: '{"clientId":' },
      { what: 'nothing', body: '' },
      { what: 'null', body: 'null' },
      { what: 'the same key twice', body: '{"clientId":"a","clientId":"b"}' },
      { what: 'half a million levels', body: '['.repeat(500_000) },
      { what: 'what only claims to be gzip', body: '{}', headers: { 'content-encoding': 'gzip' } },
    ])('refuses $what as malformed', async ({ body, headers = {} }) => {
      const { url } = await start();
      const refused = await seen(await fetch(url('push'), post(body, headers)));
      expect(refused).toMatchObject({ status: 400, body: { error: { code: 'MALFORMED' } } });
    });

    it.each([
      { what: 'a form', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      { what: 'plain text', headers: { 'content-type': 'text/plain' } },
      { what: 'brotli', headers: { 'content-encoding': 'br' } },
    ])('refuses $what as an encoding it does not support', async ({ headers }) => {
      const { url } = await start();
      const refused = await seen(await fetch(url('push'), post('{}', headers)));
      expect(refused).toMatchObject({ status: 415, body: { error: { code: 'UNSUPPORTED_ENCODING' } } });
    });

    it('cuts a gzip bomb at the limit', async () => {
      const { url } = await start();
      const body = gzipSync(Buffer.alloc(32 * 1024 * 1024, ' '));
      const refused = await fetch(url('push'), { ...post('', { 'content-encoding': 'gzip' }), body });
      expect(await seen(refused)).toMatchObject({ status: 413, body: { error: { code: 'TOO_LARGE' } } });
    });

    it('refuses a body over the limit, whether its length is declared or not', async () => {
      const { port, url } = await start();
      const body = Buffer.alloc(5 * 1024 * 1024, ' ');
      const declared = await send(port, pushOf({ 'content-length': body.length }), body);
      const chunked = await send(port, pushOf({ 'transfer-encoding': 'chunked' }), body);
      const next = await fetch(url('push'), post(pushBody()));
      expect([declared.status, chunked.status, next.status]).toEqual([413, 413, 200]);
    });

    it('cuts a body that stalls when time is up, and has room for the next', async () => {
      const { platform, timerSet } = manualPlatform();
      const { port, url } = await start({ platform, authenticate: () => ({ id: 'anna' }), maxConcurrentRequests: 1 });
      const socket = await beginPush(port, { 'content-length': '1000' });
      const fire = await timerSet;
      // By the next turn it is known who is asking, and the body is waited for.
      await new Promise((resolve) => setImmediate(resolve));
      fire();
      const [answer] = await once(socket.setEncoding('utf8'), 'data');
      const next = await fetch(url('push'), post(pushBody()));
      socket.destroy();
      expect(answer).toMatch(/^HTTP\/1\.1 503 .*retry-after: 5/is);
      expect(next.status).toBe(200);
    });
  });
}

/** A connection on which a push has begun: its head and the first byte of its body. */
async function beginPush(port: number, headers: Readonly<Record<string, string>>): Promise<Socket> {
  const socket = await openSocket(port);
  const head = ['POST /api/sync/push HTTP/1.1', 'host: localhost', 'content-type: application/json'];
  const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.write(`${[...head, ...more].join('\r\n')}\r\n\r\n{`);
  return socket;
}

async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** `node:http` options of a push with these headers. */
export function pushOf(headers: OutgoingHttpHeaders): RequestOptions {
  return { method: 'POST', path: '/api/sync/push', headers: { 'content-type': 'application/json', ...headers } };
}

/** One request by `node:http`, where `fetch` would not let the headers through. */
export function send(
  port: number,
  options: RequestOptions,
  body?: string | Buffer,
): Promise<{ readonly status: number }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, ...options }, (response) => {
      response.resume();
      response.once('end', () => resolve({ status: response.statusCode ?? 0 }));
    });
    request.once('error', reject);
    request.end(body);
  });
}

/** A platform whose request timer is fired by hand. */
function manualPlatform(): { readonly platform: Platform; readonly timerSet: Promise<() => void> } {
  let tell = (_fire: () => void): void => {};
  const timerSet = new Promise<() => void>((resolve) => {
    tell = resolve;
  });
  const platform: Platform = {
    now: () => 0,
    randomId: () => 'id',
    setTimer(work, delayMs) {
      if (delayMs === REQUEST_TIMEOUT_MS) tell(work);
      return () => {};
    },
  };
  return { platform, timerSet };
}
