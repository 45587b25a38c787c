/**
 * An ObjectStack application with sync in a process of its own: `engine-server.fixture.ts <url> <schema>` keeps everything
 * in that schema of PostgreSQL, serves sync on a free port and prints the port.
 */
import { createServer } from 'node:http';
import { SqlDriver } from '@objectstack/driver-sql';
import { toNodeHandler } from '../http/node.js';
import { createSyncEndpoint } from '../http/sync-endpoint.js';
import { SyncProtocolPlugin } from '../sync-protocol-plugin.js';
import { startKernel } from './kernel.fixture.js';

const [url = '', schema = ''] = process.argv.slice(2);
const sync = new SyncProtocolPlugin();
const fields = { title: { type: 'text', label: 'Title' } };
await startKernel({
  objects: [{ name: 'task', label: 'Task', sync: { enabled: true }, fields }],
  plugins: [sync],
  driver: new SqlDriver({ client: 'pg', connection: url, searchPath: [schema] }),
});
const server = createServer(toNodeHandler(createSyncEndpoint({ handler: sync.handler })));
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  // ObjectStack prints lines of its own.
  process.stdout.write(`port ${typeof address === 'object' && address ? address.port : ''}\n`);
});
