import type { KernelPlugin } from '@objectql/sync-types/kernel';
import { SqliteWasmDriver } from '@objectstack/driver-sqlite-wasm';
import { DriverPlugin } from '@objectstack/runtime';
import { expect, it, onTestFinished } from 'vitest';
import { SyncProtocolPlugin, type SyncProtocolPluginOptions } from '../sync-protocol-plugin.js';
import { startKernel } from './kernel.fixture.js';

/** A kernel with a second datasource, in which one object is. */
async function start(objects: NonNullable<SyncProtocolPluginOptions['objects']>) {
  const archive = Object.assign(new SqliteWasmDriver({ filename: ':memory:' }), { name: 'archive' });
  onTestFinished(() => archive.disconnect());
  const fields = { title: { type: 'text', label: 'Title' } };
  const { stop } = await startKernel({
    objects: [
      { name: 'task', label: 'Task', fields },
      { name: 'old_task', label: 'Old task', datasource: 'archive', fields },
    ],
    // A cast: ObjectStack's plugins have more of the same contract than is used here.
    plugins: [new DriverPlugin(archive) as unknown as KernelPlugin, new SyncProtocolPlugin({ objects })],
  });
  onTestFinished(stop);
}

it('refuses to sync an object whose writes no transaction covers', async () => {
  const message = "Sync: 'old_task' is not in the default datasource";
  await expect(start({ task: { enabled: true }, old_task: { enabled: true } })).rejects.toThrow(message);
});

it('takes any object that is told not to be synced, wherever it is', async () => {
  await start({ task: { enabled: true }, old_task: { enabled: false }, of_another_app: { enabled: false } });
});

it('refuses to sync where the database has no transactions', async () => {
  const driver = new SqliteWasmDriver({ filename: ':memory:' });
  Object.defineProperty(driver, 'beginTransaction', { value: undefined });
  onTestFinished(() => driver.disconnect());
  const started = startKernel({ objects: [], plugins: [new SyncProtocolPlugin()], driver });
  await expect(started).rejects.toThrow('Sync needs a data engine with transactions. Use a SQL driver');
});
