/**
 * A sync server in a process of its own: `postgres-sync-server.fixture.ts <url> <schema> <table>` serves sync on a free
 * port, prints the port, and notes each write of its resolver in the application's table, in the push's transaction.
 */
import { createServer } from 'node:http';
import pg from 'pg';
import { toNodeHandler } from '../../http/node.js';
import { createSyncEndpoint } from '../../http/sync-endpoint.js';
import { SyncHandler } from '../../sync-handler.js';
import { writesResolver } from './postgres-resolver.fixture.js';
import { PostgresStore } from './postgres-store.js';

const [url = '', schema = '', table = ''] = process.argv.slice(2);
const store = new PostgresStore({ pool: new pg.Pool({ connectionString: url }), schema });
const handler = new SyncHandler({ store });
const endpoint = createSyncEndpoint({
  handler,
  resolver: writesResolver(table),
  maxConcurrentRequests: 100,
  realtime: true,
});
const server = createServer(toNodeHandler(endpoint));
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' && address ? address.port : ''}\n`);
});
