import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import { toNodeHandler } from './node.js';
import { describeHttpServer, type RunningServer } from './sockets.contract.js';
import type { SyncEndpoint } from './sync-endpoint.js';

async function listen(endpoint: SyncEndpoint): Promise<RunningServer> {
  const app = fastify({ forceCloseConnections: true });
  const sync = toNodeHandler(endpoint);
  // As the quick start says. Before Fastify reads the body, which it would not leave in `request.body` of Node's request.
  app.all('/api/sync/*', { onRequest: async ({ raw }, reply) => sync(raw, reply.hijack().raw) }, () => {});
  await app.listen({ host: '127.0.0.1', port: 0 });
  // A cast, because only a server on a pipe has a string for an address.
  return { port: (app.server.address() as AddressInfo).port, close: () => void app.close() };
}

describeHttpServer({ name: 'Fastify', serve: listen });
