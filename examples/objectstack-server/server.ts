/** An ObjectStack application with REST, sign-in and permissions. Offline sync is the last of its plugins, and `sync` in its object. */
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

/** Ends the server. The kernel leaves the driver's database open, which would keep the process running. */
export async function stop(): Promise<void> {
  await kernel.shutdown();
  await driver.disconnect();
}
