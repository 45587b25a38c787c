/** A device on Node that keeps its records in a data engine of its own. */
import { httpTransport, SyncPlugin } from '@objectql/plugin-sync';
import { createKernel } from '@objectql/plugin-sync/kernel';
import { DataEngineSync } from '@objectql/plugin-sync/objectstack';
import { SqliteWasmDriver } from '@objectstack/driver-sqlite-wasm';
import { type ObjectQL, ObjectQLPlugin } from '@objectstack/objectql';
import { AppPlugin, DriverPlugin } from '@objectstack/runtime';
import { signUp, stop, task, url } from './server.js';

const token = await signUp();

const driver = new SqliteWasmDriver({ filename: ':memory:' }); // in production a file
const device = createKernel({
  plugins: [
    new DriverPlugin(driver),
    new ObjectQLPlugin(),
    new AppPlugin({ id: 'app.tasks', name: 'tasks', version: '1.0.0', type: 'app', objects: [task] }),
    // In production with `storage: new FileStorage('van.log')`, too.
    new SyncPlugin({ clientId: 'van', transport: httpTransport({ url: `${url}/api/sync`, token }) }),
    new DataEngineSync(),
  ],
  config: { gracefulShutdown: false, logger: { level: 'silent' } },
});
await device.start();

await device.getService<ObjectQL>('objectql').insert('task', { id: 'task-3', title: 'Mend the fence' });
await device.sync.syncAll();

const rest = await fetch(`${url}/api/v1/data/task/task-3`, { headers: { authorization: `Bearer ${token}` } });
console.log('from the engine, by REST:', rest.status);

await device.shutdown();
await driver.disconnect();
await stop();
