import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { Agent, createServer, type RequestListener, type Server } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server, type OutgoingHttpHeaders } from 'node:http2';
import { createRequire } from 'node:module';
import { type AddressInfo, connect } from 'node:net';
import express from 'express';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { Principal } from '../principal.js';
import type { Authorize } from '../rules/authorize.js';
import { SyncHandler } from '../sync-handler.js';
import { toNodeHandler } from './node.js';
import { PULL_BODY, post, pushBody } from './requests.fixture.js';
import { describeHttpServer, pushOf, type RunningServer, send } from './sockets.contract.js';
import { createSyncEndpoint, type SyncEndpoint } from './sync-endpoint.js';

// Untyped; what is used of it is the same in Express 5.
const express4: typeof express = createRequire(import.meta.url)('express4');

async function listen(listener: RequestListener): Promise<RunningServer> {
  // Node's own limit on idle connections would hide ours.
  const server: Server = createServer({ keepAliveTimeout: 0 }, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    // A cast, because only a server on a pipe has a string for an address.
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

it('asks who it is in the async context of its caller, where middleware may have left the answer', async () => {
  const asking = new AsyncLocalStorage<Principal | undefined>();
  const told = new Set<string | undefined>();
  const authorize: Authorize = {
    scope(principal) {
      told.add(principal?.id);
      return '';
    },
  };
  const handler = new SyncHandler({ authorize });
  const sync = toNodeHandler(createSyncEndpoint({ handler, authenticate: () => asking.getStore() ?? null }));
  const users: readonly (Principal | undefined)[] = [{ id: 'ada' }, { id: 'bob' }, undefined];
  const app = express();
  for (const [at, user] of users.entries()) {
    app.use(`/${at}/api/sync`, (request, response) => asking.run(user, () => sync(request, response)));
  }
  const server = await listen(app);
  onTestFinished(() => server.close());
  const ask = async (at: number) =>
    (await fetch(`http://127.0.0.1:${server.port}/${at}/api/sync/pull`, post(PULL_BODY))).status;
  expect(await Promise.all([0, 1, 2].map(ask))).toEqual([200, 200, 401]);
  expect(told).toEqual(new Set(['ada', 'bob']));
});

it('closes the connection behind a stream, so that a server which is to stop has none left', async () => {
  const server = await listen(toNodeHandler(createSyncEndpoint({ handler: new SyncHandler(), realtime: true })));
  onTestFinished(() => server.close());
  const stream = await fetch(`http://127.0.0.1:${server.port}/api/sync/stream`);
  await stream.body?.cancel();
  expect(stream.headers.get('connection')).toBe('close');
});

it('refuses what is no endpoint when it is made, not at each request', () => {
  // A cast: the compiler refuses a handler.
  const handler = new SyncHandler() as never;
  expect(() => toNodeHandler(handler)).toThrow(new TypeError('toNodeHandler: pass what createSyncEndpoint returns.'));
});

describeHttpServer({ name: 'node:http', serve: (endpoint) => listen(toNodeHandler(endpoint)) });
describeHttpServer({
  name: 'node:http before an endpoint in a function of the application',
  serve: (endpoint) => listen(toNodeHandler((request) => endpoint(request))),
});

for (const [version, framework] of [
  ['Express 5', express],
  ['Express 4', express4],
] as const) {
  describeHttpServer({
    name: version,
    serve: (endpoint) => listen(framework().use('/api/sync', toNodeHandler(endpoint))),
  });

  describeHttpServer({
    name: `${version} behind express.json()`,
    serve: (endpoint) =>
      listen(
        framework()
          .use(framework.json({ limit: '1mb' }))
          .use('/api/sync', toNodeHandler(endpoint)),
      ),
    parsesBodies: true,
  });

  it(`reads the body itself when ${version}'s middleware has left it alone`, async () => {
    const app = framework().use(framework.json({ type: 'application/vnd.other+json' }));
    const endpoint = createSyncEndpoint({ handler: new SyncHandler() });
    const server = await listen(app.use('/api/sync', toNodeHandler(endpoint)));
    onTestFinished(() => server.close());
    const answer = await fetch(`http://127.0.0.1:${server.port}/api/sync/push`, post(pushBody()));
    expect(answer.status).toBe(200);
  });
}

for (const framework of [express, express4]) {
  it('answers an empty body that middleware has read to its end', async () => {
    const endpoint = createSyncEndpoint({ handler: new SyncHandler() });
    const server = await listen(framework().use(framework.json()).use('/api/sync', toNodeHandler(endpoint)));
    onTestFinished(() => server.close());
    const answer = await fetch(`http://127.0.0.1:${server.port}/api/sync/push`, { ...post(pushBody()), body: '' });
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { error: { code: 'MALFORMED', message: expect.any(String) } },
    ]);
  });
}

it.each<[string, (endpoint: SyncEndpoint) => SyncEndpoint]>([
  ['', (endpoint) => endpoint],
  [' in a function of the application', (endpoint) => (request) => endpoint(request)],
])('serves HTTP/2 with an endpoint%s: a push, and a stream until its client goes', async (_where, wrap) => {
  let leave = (_path: string): void => {};
  const left = new Promise<string>((resolve) => {
    leave = resolve;
  });
  const endpoint = createSyncEndpoint({
    handler: new SyncHandler(),
    realtime: true,
    authenticate({ url, headers, signal }) {
      signal.addEventListener('abort', () => leave(new URL(url).pathname));
      return { id: headers.get('authorization') ?? '' };
    },
  });
  // A cast, because the types know nothing of how alike the requests of both protocols are.
  const server = createHttp2Server(toNodeHandler(wrap(endpoint)) as never).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const onWarning = vi.fn();
  process.on('warning', onWarning);
  onTestFinished(() => {
    process.removeListener('warning', onWarning);
    client.destroy();
    server.close();
  });
  const open = async (headers: OutgoingHttpHeaders, body?: string) => {
    const stream = client.request({ authorization: 'anna', ...headers }).setEncoding('utf8');
    stream.end(body);
    const [answer] = await once(stream, 'response');
    const [data] = await once(stream, 'data');
    return { stream, seen: [answer[':status'], answer['content-type'], String(data).slice(0, 13)] };
  };
  const push = { ':method': 'POST', ':path': '/api/sync/push', 'content-type': 'application/json' };
  const pushed = await open(push, JSON.stringify(pushBody()));
  const streamed = await open({ ':path': '/api/sync/stream' });
  streamed.stream.close();
  expect([pushed.seen, streamed.seen, await left]).toEqual([
    [200, 'application/json', '{"protocol":2'],
    [200, 'text/event-stream', 'event: poke\nd'],
    '/api/sync/stream',
  ]);
  // As Node warns of a header that is HTTP/1's alone.
  expect(onWarning).not.toHaveBeenCalled();
});

it('adds to the headers that middleware has set, and sets its own', async () => {
  const endpoint = createSyncEndpoint({ handler: new SyncHandler() });
  const handle = toNodeHandler(endpoint);
  const server = await listen((request, response) => {
    response.setHeader('vary', 'origin');
    response.setHeader('access-control-allow-origin', 'https://app.example');
    response.setHeader('content-type', 'text/html');
    handle(request, response);
  });
  onTestFinished(() => server.close());
  const { headers } = await fetch(`http://127.0.0.1:${server.port}/api/sync/push`, post(pushBody()));
  const names = ['vary', 'access-control-allow-origin', 'content-type'];
  expect(names.map((name) => headers.get(name))).toEqual([
    'origin, accept-encoding',
    'https://app.example',
    'application/json',
  ]);
});

it('keeps every cookie, those of middleware and those an application sets around the endpoint', async () => {
  const endpoint = createSyncEndpoint({ handler: new SyncHandler() });
  const handle = toNodeHandler(async (request) => {
    const response = await endpoint(request);
    response.headers.append('set-cookie', 'session=2; HttpOnly');
    response.headers.append('set-cookie', 'theme=dark');
    return response;
  });
  const server = await listen((request, response) => {
    response.setHeader('set-cookie', 'load-balancer=7');
    handle(request, response);
  });
  onTestFinished(() => server.close());
  const { headers } = await fetch(`http://127.0.0.1:${server.port}/api/sync/push`, post(pushBody()));
  expect(headers.getSetCookie()).toEqual(['load-balancer=7', 'session=2; HttpOnly', 'theme=dark']);
});

it('serves the next request on the connection on which it refused a body', async () => {
  const endpoint = createSyncEndpoint({ handler: new SyncHandler() });
  const { port, close } = await listen(toNodeHandler(endpoint));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => {
    agent.destroy();
    close();
  });
  const body = Buffer.alloc(5 * 1024 * 1024, ' ');
  const declared = await send(port, { ...pushOf({ 'content-length': body.length }), agent }, body);
  const chunked = await send(port, { ...pushOf({ 'transfer-encoding': 'chunked' }), agent }, body);
  const next = await send(port, { ...pushOf({}), agent }, JSON.stringify(pushBody()));
  expect([declared.status, chunked.status, next.status]).toEqual([413, 413, 200]);
});

it('takes no more of a stream than its reader does, and ends it when the reader goes', async () => {
  const chunk = new Uint8Array(64 * 1024);
  let taken = 0;
  let cancelled = (): void => {};
  const isCancelled = new Promise<void>((resolve) => {
    cancelled = resolve;
  });
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        taken += 1;
        controller.enqueue(chunk);
      },
      cancel: () => cancelled(),
    });
  const headers = { 'content-type': 'text/event-stream' };
  const { port, close } = await listen(toNodeHandler(async () => new Response(endless(), { headers })));
  onTestFinished(close);
  const client = connect(port, '127.0.0.1').pause();
  client.write('GET /stream HTTP/1.1\r\nhost: localhost\r\n\r\n');
  // Until the buffers on the way are full: nothing is taken in a hundred turns of the event loop.
  for (let before = 0, idle = 0; idle < 100; idle = taken === before && taken > 0 ? idle + 1 : 0) {
    before = taken;
    await new Promise((resolve) => setImmediate(resolve));
  }
  const atRest = taken;
  // Who reads on is given more.
  client.resume();
  while (taken === atRest) await new Promise((resolve) => setImmediate(resolve));
  client.destroy();
  await isCancelled;
  expect(atRest).toBeLessThan(2000);
});

it('ends a stream whose client has gone before there was an answer', async () => {
  let cancelled = (): void => {};
  const isCancelled = new Promise<void>((resolve) => {
    cancelled = resolve;
  });
  const handle = toNodeHandler(async ({ signal }) => {
    if (!signal.aborted) await once(signal, 'abort');
    return new Response(new ReadableStream({ cancel: () => cancelled() }), {
      headers: { 'content-type': 'text/event-stream' },
    });
  });
  let began = (): void => {};
  const hasBegun = new Promise<void>((resolve) => {
    began = resolve;
  });
  const { port, close } = await listen((request, response) => {
    began();
    handle(request, response);
  });
  onTestFinished(close);
  const client = connect(port, '127.0.0.1');
  client.write('GET /stream HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await hasBegun;
  client.destroy();
  await isCancelled;
});

it('knows of a client that has gone while what stands before took its time', async () => {
  let tell = (_isGone: boolean): void => {};
  const told = new Promise<boolean>((resolve) => {
    tell = resolve;
  });
  const endpoint = createSyncEndpoint({
    handler: new SyncHandler(),
    authenticate: ({ signal }) => {
      tell(signal.aborted);
      return null;
    },
  });
  const handle = toNodeHandler(endpoint);
  let began = (): void => {};
  const hasBegun = new Promise<void>((resolve) => {
    began = resolve;
  });
  const { port, close } = await listen(async (request, response) => {
    began();
    await once(response, 'close');
    handle(request, response);
  });
  onTestFinished(close);
  const client = connect(port, '127.0.0.1');
  client.write('POST /api/sync/push HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n');
  await hasBegun;
  client.destroy();
  expect(await told).toBe(true);
});

it.each([
  ['before there is an answer', () => Promise.reject(new Error('the application failed'))],
  [
    'in the midst of a stream',
    async () =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(new Uint8Array([58])),
          pull: (controller) => controller.error(new Error('the application failed')),
        }),
        { headers: { 'content-type': 'text/event-stream' } },
      ),
  ],
] as const)(
  'cuts the connection when what an application has put around the endpoint fails %s',
  async (_when, fail) => {
    const { port, close } = await listen(toNodeHandler(fail));
    onTestFinished(close);
    const answering = fetch(`http://127.0.0.1:${port}/api/sync/stream`).then((answer) => answer.text());
    await expect(answering).rejects.toThrow(TypeError);
  },
);

it('hands what middleware has parsed to an endpoint in a function of the application', async () => {
  const endpoint = createSyncEndpoint({ handler: new SyncHandler() });
  const handle = toNodeHandler((request) => endpoint(request));
  const { port, close } = await listen(express().use(express.json()).use('/api/sync', handle));
  onTestFinished(close);
  expect((await fetch(`http://127.0.0.1:${port}/api/sync/push`, post(pushBody()))).status).toBe(200);
});

it('takes no more of a body than a function of the application reads', async () => {
  let read = (): void => {};
  const hasRead = new Promise<void>((resolve) => {
    read = resolve;
  });
  const { port, close } = await listen(
    toNodeHandler(async ({ body, signal }) => {
      await body?.getReader().read();
      read();
      if (!signal.aborted) await once(signal, 'abort');
      return new Response();
    }),
  );
  onTestFinished(close);
  const client = connect(port, '127.0.0.1');
  client.on('error', () => {});
  client.write('POST /push HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n');
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
  await new Promise((resolve) => client.write(chunk, resolve));
  await hasRead;
  // Until the buffers on the way are full: nothing is taken in a hundred turns of the event loop.
  let sent = 0;
  const more = () => {
    sent += 1;
    if (sent < 2000) client.write(chunk, more);
  };
  more();
  for (let before = 0, idle = 0; idle < 100; idle = sent === before ? idle + 1 : 0) {
    before = sent;
    await new Promise((resolve) => setImmediate(resolve));
  }
  client.destroy();
  expect(sent).toBeLessThan(2000);
});

it.each<[string, (endpoint: SyncEndpoint) => SyncEndpoint]>([
  ['', (endpoint) => endpoint],
  [' in a function of the application', (endpoint) => (request) => endpoint(request)],
])(
  'drops for five seconds what a client goes on to send after its body was refused by an endpoint%s',
  async (_where, wrap) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const endpoint = createSyncEndpoint({ handler: new SyncHandler({ limits: { maxBodyBytes: 1000 } }) });
    const { port, close } = await listen(toNodeHandler(wrap(endpoint)));
    onTestFinished(close);
    const client = connect(port, '127.0.0.1').setEncoding('utf8');
    client.on('error', () => {});
    const chunk = `2000\r\n${'x'.repeat(0x2000)}\r\n`;
    const head = 'POST /api/sync/push HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';
    client.write(`${head}transfer-encoding: chunked\r\n\r\n${chunk}`);
    const [answer] = await once(client, 'data');
    // More than fits into the buffers on the way, so somebody takes it.
    for (let count = 0; count < 2000; count++) await new Promise((resolve) => client.write(chunk, resolve));
    const closed = new Promise((resolve) => client.once('close', resolve));
    await vi.advanceTimersByTimeAsync(5000);
    await closed;
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  },
);
