import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { compress } from 'hono/compress';
import { expect, it, onTestFinished } from 'vitest';
import { SyncHandler } from '../sync-handler.js';
import { EventReader } from './event-reader.fixture.js';
import { post, pushBody } from './requests.fixture.js';
import { describeHttpServer, type RunningServer } from './sockets.contract.js';
import { createSyncEndpoint, type SyncEndpoint } from './sync-endpoint.js';

function listen(app: Hono, endpoint: SyncEndpoint): Promise<RunningServer> {
  app.all('/api/sync/*', (context) => endpoint(context.req.raw));
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }: AddressInfo) =>
      resolve({ port, close: () => server.close() }),
    );
  });
}

describeHttpServer({ name: 'Hono', serve: (endpoint) => listen(new Hono(), endpoint) });

it('streams pokes through middleware that packs answers', async () => {
  const endpoint = createSyncEndpoint({ handler: new SyncHandler(), realtime: true });
  const server = await listen(new Hono().use(compress()), endpoint);
  onTestFinished(() => server.close());
  const url = `http://127.0.0.1:${server.port}/api/sync`;
  const events = new EventReader(await fetch(`${url}/stream`, { headers: { 'accept-encoding': 'gzip' } }));
  const before = await events.place(0);
  await fetch(`${url}/push`, post(pushBody()));
  expect([before, await events.place(1)]).toEqual([0, 1]);
  await events.cancel();
});
