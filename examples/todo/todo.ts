/**
 * Opens the app: builds it when it has changed since the last build, starts the server and tells where it is. `PORT` and
 * `TODO_DATA`, the folder of its database, may be set in the environment.
 */
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'libsql';
import { buildApp } from './server/build-app.js';
import { addFirstTasks } from './server/first-tasks.js';
import { todoServer } from './server/todo-server.js';

const port = Number(process.env.PORT ?? 4100);
const data = process.env.TODO_DATA ?? fileURLToPath(new URL('.data/', import.meta.url));

const appFolder = await buildApp((line) => console.log(line));
mkdirSync(data, { recursive: true });
const file = join(data, 'todo.sqlite');
const isNew = !existsSync(file);
const { handler, server } = todoServer(new Database(file), appFolder);
if (isNew) await addFirstTasks(handler);
server.listen(port, '127.0.0.1');
server.once('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EADDRINUSE') throw error;
  console.error(`Port ${port} is in use. Choose another: PORT=4101 npx -y pnpm@10 todo`);
  process.exit(1);
});
await once(server, 'listening');
console.log(`
  Todo is ready:  http://localhost:${(server.address() as AddressInfo).port}

  Tasks are kept in ${file}. Delete it to start anew.
  Press Ctrl+C to stop.
`);
