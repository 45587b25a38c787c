import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { describeHttpServer } from './sockets.contract.js';

describeHttpServer({
  name: 'Hono',
  serve: (endpoint) =>
    new Promise((resolve) => {
      const app = new Hono().all('/api/sync/*', (context) => endpoint(context.req.raw));
      const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }: AddressInfo) =>
        resolve({ port, close: () => server.close() }),
      );
    }),
});
