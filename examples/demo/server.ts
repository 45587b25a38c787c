/** The demo's server process: sync over real HTTP, everything in one SQLite file. Tells its port to who started it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSyncEndpoint, SqliteStore, SyncHandler } from '@objectql/protocol-sync';
import { toNodeHandler } from '@objectql/protocol-sync/node';
import Database from 'libsql';
import { objects } from './objects.js';

const [file = 'server.sqlite'] = process.argv.slice(2);
const database = new Database(file);
const handler = new SyncHandler({ store: new SqliteStore(database), objects });
const server = createServer(toNodeHandler(createSyncEndpoint({ handler })));
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));

process.on('disconnect', () => process.exit(0));
