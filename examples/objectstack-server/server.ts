/** An ObjectStack application with REST, sign-in, permissions and offline sync. */
import { SyncProtocolPlugin } from '@objectql/protocol-sync';
import { createKernel } from '@objectql/protocol-sync/kernel';
import { SqliteWasmDriver } from '@objectstack/driver-sqlite-wasm';
import { ObjectQLPlugin } from '@objectstack/objectql';
import { AuthPlugin } from '@objectstack/plugin-auth';
import { HonoServerPlugin } from '@objectstack/plugin-hono-server';
import { SecurityPlugin } from '@objectstack/plugin-security';
import { AppPlugin, createRestApiPlugin, DriverPlugin } from '@objectstack/runtime';

export const task = {
  name: 'task',
  label: 'Task',
  sharingModel: 'public_read_write',
  sync: { enabled: true, strategy: 'last-write-wins' },
  fields: {
    title: { type: 'text', label: 'Title', required: true },
    status: { type: 'text', label: 'Status', defaultValue: 'new' },
  },
};

const driver = new SqliteWasmDriver({ filename: ':memory:' });
const kernel = createKernel({
  plugins: [
    new DriverPlugin(driver),
    new ObjectQLPlugin(),
    new AppPlugin({ id: 'app.tasks', name: 'tasks', version: '1.0.0', type: 'app', objects: [task] }),
    new AuthPlugin({ secret: 'replace-me-by-32-random-letters!!', manifestDatasource: 'default' }),
    new SecurityPlugin(),
    new HonoServerPlugin({ port: 0 }),
    createRestApiPlugin(),
    new SyncProtocolPlugin({ endpoint: { enabled: true, path: '/api/sync' } }),
  ],
  config: { gracefulShutdown: false, logger: { level: 'silent' } },
});
await kernel.start();

const port = kernel.getService<{ getPort(): number }>('http.server').getPort();
export const url = `http://localhost:${port}`;

/** Signs a user up, and answers their token. */
export async function signUp(): Promise<string> {
  const response = await fetch(`${url}/api/v1/auth/sign-up/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ada@example.com', password: 'correct horse battery', name: 'Ada' }),
  });
  return response.headers.get('set-auth-token') ?? '';
}

/** Ends the server. The kernel leaves the driver's database open, which keeps the process running. */
export async function stop(): Promise<void> {
  await kernel.shutdown();
  await driver.disconnect();
}
