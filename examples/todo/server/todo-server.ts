/** The whole server: sync on an SQLite database, and the app's files. */
import { createServer, type Server } from 'node:http';
import { createSyncEndpoint, type SqliteDatabase, SqliteStore, SyncHandler } from '@objectql/protocol-sync';
import { toNodeHandler } from '@objectql/protocol-sync/node';
import { objects } from '../objects.js';
import { staticFiles } from './static-files.js';
import { titleRule } from './title-rule.js';

export interface TodoServer {
  readonly handler: SyncHandler;
  readonly server: Server;
}

/** A server that is not listening yet. `appFolder` holds the built app. */
export function todoServer(database: SqliteDatabase, appFolder: string): TodoServer {
  const handler = new SyncHandler({ store: new SqliteStore(database), objects });
  const sync = toNodeHandler(createSyncEndpoint({ handler, resolver: titleRule, realtime: true }));
  const files = staticFiles(appFolder);
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/api/sync/')) sync(request, response);
    else files(request, response);
  });
  return { handler, server };
}
