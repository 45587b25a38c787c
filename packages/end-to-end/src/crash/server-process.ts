/** A sync server to be killed: tells its parent before and after each push, so that a kill can fall anywhere. */
import { createServer } from 'node:http';
import { createSyncEndpoint, type RecordResolver, SqliteStore, SyncHandler } from '@objectql/protocol-sync';
import { toNodeHandler } from '@objectql/protocol-sync/node';
import Database from 'libsql';
import { tableResolver } from './table-resolver.js';

const [port = '0', file = '', tableFile = ''] = process.argv.slice(2);
const store = new SqliteStore(new Database(file));
// 200 ms: a write that a dead server announced is recovered after twice that, and the runs do not wait for it for long.
const handler = new SyncHandler({ store, strategy: 'manual', limits: { resolverTimeoutMs: 200 } });
const endpoint = createSyncEndpoint({
  ...(tableFile ? { resolver: tellingResolver(tableResolver(tableFile)) } : {}),
  handler: {
    limits: handler.limits,
    async answerPush(...call) {
      process.send?.('push');
      const answer = await handler.answerPush(...call);
      process.send?.('pushed');
      return answer;
    },
    watch: (checkpoint, watcher) => handler.watch(checkpoint, watcher),
    answerPull: (...call) => handler.answerPull(...call),
  },
});
const server = createServer(toNodeHandler(endpoint));
server.listen(Number(port), '127.0.0.1', () => process.send?.('listening'));
process.on('disconnect', () => process.exit(0));

/** Tells before and after each write of the application's own. */
function tellingResolver(resolver: RecordResolver): RecordResolver {
  return {
    ...resolver,
    async applyMutation(...call) {
      process.send?.('write');
      const stored = await resolver.applyMutation(...call);
      process.send?.('written');
      return stored;
    },
  };
}
