/** A change made on one device shows on another at once: real servers and real sockets. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import {
  type HttpTransportOptions,
  httpTransport,
  liveUpdates,
  SyncPlugin,
  type SyncStatus,
} from '@objectql/plugin-sync';
import { createSyncEndpoint, type SyncEndpoint, type SyncEndpointOptions, SyncHandler } from '@objectql/protocol-sync';
import { toNodeHandler } from '@objectql/protocol-sync/node';
import express from 'express';
import { Hono } from 'hono';
import { describe, expect, onTestFinished, test } from 'vitest';
import { TestPlatform } from '../../plugin-sync/src/platform/test-platform.js';
import { lastingPort } from '../../protocol-sync/src/http/lasting-port.fixture.js';
import { HoldingProxy } from './holding-proxy.js';

const SERVERS: Readonly<Record<string, (endpoint: SyncEndpoint, port: number) => Promise<Server>>> = {
  'node:http': (endpoint, port) => listen(toNodeHandler(endpoint), port),
  Express: (endpoint, port) => listen(express().use('/api/sync', toNodeHandler(endpoint)), port),
  Hono: (endpoint, port) =>
    new Promise((resolve) => {
      const app = new Hono().all('/api/sync/*', (context) => endpoint(context.req.raw));
      const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port }, () => resolve(server as Server));
    }),
};

describe.each(Object.entries(SERVERS))('%s', (_name, listenWith) => {
  test('shows on one device what another has just written, and nobody polls', async () => {
    const { url } = await startServer({ listenWith });
    const requests: string[] = [];
    const phone = device('phone', { url });
    const tablet = device('tablet', { url, fetch: noting(requests) });
    await Promise.all([until(phone, isOpen), until(tablet, isOpen)]);
    requests.length = 0;
    phone.getEngine('task').records.of('task').create('task-1', { title: 'Buy milk' });
    await phone.syncAll();
    expect(await titleOn(tablet, 'task-1')).toBe('Buy milk');
    expect(requests).toEqual(['pull']);
  });

  test('finds the server again that was restarted, and all that was written meanwhile', async () => {
    const port = await lastingPort();
    const first = await startServer({ listenWith, port });
    const tablet = device('tablet', { url: first.url });
    await until(tablet, isOpen);
    await first.stop();
    await until(tablet, ({ live }) => live !== 'open');
    const second = await startServer({ listenWith, port });
    const phone = device('phone', { url: second.url });
    phone.getEngine('task').records.of('task').create('task-1', { title: 'Buy milk' });
    await phone.syncAll();
    expect(await titleOn(tablet, 'task-1')).toBe('Buy milk');
    await until(tablet, isOpen);
  });
});

test('reads the token anew for each stream', async () => {
  const seen: (string | null)[] = [];
  const { url } = await startServer({
    authenticate: (request) => {
      if (request.method === 'GET') seen.push(request.headers.get('authorization'));
      return seen.length === 1 ? null : { id: 'anna' };
    },
  });
  let count = 0;
  const tablet = device('tablet', { url, token: () => `token-${++count}` });
  await until(tablet, ({ state }) => state === 'needs-auth');
  tablet.client.resume();
  await until(tablet, isOpen);
  expect([seen.length, new Set(seen).size]).toEqual([2, 2]);
});

test('asks from time to time behind a proxy that holds answers back, and is live again without it', async () => {
  const { url } = await startServer({});
  await using proxy = await HoldingProxy.start(url);
  const platform = new TestPlatform();
  const phone = device('phone', { url });
  const streamAsked = proxy.asked('/stream');
  const tablet = device('tablet', { url: `${proxy.origin}/api/sync` }, platform);
  await until(
    tablet,
    ({ state, live }) => state === 'idle' && live === 'connecting',
    () => platform.advance(0),
  );
  await streamAsked;
  await platform.advance(10_000);
  expect(tablet.client.status.live).toBe('polling');
  await until(tablet, ({ state }) => state === 'idle');

  phone.getEngine('task').records.of('task').create('task-1', { title: 'Buy milk' });
  await phone.syncAll();
  let title: unknown;
  void titleOn(tablet, 'task-1').then((seen) => {
    title = seen;
  });
  // In small steps, so that real answers arrive before the test's clock calls them late.
  while (title === undefined) await platform.advance(100);
  expect(title).toBe('Buy milk');

  proxy.isHolding = false;
  platform.wake();
  await until(tablet, isOpen);
});

const isOpen = ({ live }: SyncStatus) => live === 'open';

/** A device with live updates, closed after the test. */
function device(clientId: string, transport: HttpTransportOptions, platform?: TestPlatform): SyncPlugin {
  const sync = new SyncPlugin({ clientId, transport: httpTransport(transport), live: liveUpdates(), platform });
  onTestFinished(() => sync.close());
  return sync;
}

/** Resolves when the status is as wanted. */
async function until(
  { client }: SyncPlugin,
  isWanted: (status: SyncStatus) => boolean,
  begin: () => Promise<void> = async () => {},
): Promise<void> {
  const reached = new Promise<void>((resolve) => {
    const stop = client.subscribeStatus((status) => {
      if (isWanted(status)) resolve();
    });
    onTestFinished(stop);
  });
  await begin();
  await reached;
}

/** The record's title, as soon as there is one. */
function titleOn(sync: SyncPlugin, recordId: string): Promise<unknown> {
  return new Promise((resolve) => {
    const stop = sync.getEngine('task').records.subscribe(recordId, (record) => {
      if (record) resolve(record.data.title);
    });
    onTestFinished(stop);
  });
}

/** A `fetch` that notes what is asked for. */
function noting(requests: string[]): typeof fetch {
  return (input, init) => {
    requests.push(new URL(String(input)).pathname.split('/').at(-1) ?? '');
    return fetch(input, init);
  };
}

interface StartOptions extends Pick<SyncEndpointOptions, 'authenticate'> {
  readonly listenWith?: (endpoint: SyncEndpoint, port: number) => Promise<Server>;
  readonly port?: number;
}

async function startServer({ listenWith = SERVERS['node:http'], port = 0, authenticate }: StartOptions) {
  if (!listenWith) throw new Error('There is no such server.');
  const handler = new SyncHandler();
  // What is under way when a test ends is cut off, and no news.
  const endpoint = createSyncEndpoint({ handler, realtime: true, authenticate, onError: () => {} });
  const server = await listenWith(endpoint, port);
  /** As a deployment stops it: streams end, what is under way is answered. */
  const stop = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    await handler.close();
    server.closeIdleConnections();
    await closed;
  };
  onTestFinished(stop);
  const at = (server.address() as AddressInfo).port;
  return { url: `http://127.0.0.1:${at}/api/sync`, stop };
}

function listen(listener: RequestListener, port: number): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer(listener);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
