/** A sync server to be killed: tells its parent before and after each push, so that a kill can fall anywhere. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSyncEndpoint, SqliteStore, SyncHandler } from '@objectql/protocol-sync';
import { toNodeHandler } from '@objectql/protocol-sync/node';
import Database from 'libsql';

const [file = '', port = '0'] = process.argv.slice(2);
const store = new SqliteStore(new Database(file));
const handler = new SyncHandler({ store, strategy: 'manual' });
const endpoint = createSyncEndpoint({
  handler: {
    limits: handler.limits,
    async handlePush(...call) {
      process.send?.('push');
      const answer = await handler.handlePush(...call);
      process.send?.('pushed');
      return answer;
    },
    watch: (checkpoint, watcher) => handler.watch(checkpoint, watcher),
    handlePull: (...call) => handler.handlePull(...call),
  },
});
const server = createServer(toNodeHandler(endpoint));
server.listen(Number(port), '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit(0));
