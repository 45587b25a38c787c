import { AS_SYSTEM, type KernelPlugin } from '@objectql/sync-types/kernel';
import { expect, it, onTestFinished, vi } from 'vitest';
import { SyncProtocolPlugin } from '../sync-protocol-plugin.js';
import { startKernel, temporaryDatabase } from './kernel.fixture.js';

// ObjectStack takes seconds to load and to make its tables on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const text = { type: 'text', label: 'Text' } as const;

it('I4 sends what a changed definition makes of records that nobody writes', async () => {
  const { filename, remove } = temporaryDatabase();
  onTestFinished(remove);
  const run = async (fields: object, record?: object) => {
    const sync = new SyncProtocolPlugin();
    const objects = [{ name: 'task', label: 'Task', sync: { enabled: true }, fields }];
    const { engine, stop } = await startKernel({ objects, plugins: [sync], filename });
    if (record) await engine.insert('task', record, { context: AS_SYSTEM });
    await sync.enrolled();
    const { serverChanges } = await sync.handler.handlePull({ clientId: 'tablet', lastCheckpoint: null });
    await stop();
    return serverChanges.map(({ data, serverVersion }) => [data?.size, data?.status, serverVersion]);
  };
  const changed = { size: { ...text, type: 'number' }, status: { ...text, defaultValue: 'new' } };
  expect([await run({ size: text }, { id: 't1', size: '5' }), await run(changed), await run(changed)]).toEqual([
    [['5', undefined, 1]],
    [[5, 'new', 2]],
    [[5, 'new', 2]],
  ]);
});

/** A plugin that adds a field to tasks when all others have started. */
const lateField: KernelPlugin = {
  name: 'late',
  version: '1.0.0',
  init() {},
  start(context) {
    const objectExtensions = [{ extend: 'task', fields: { extra: text } }];
    const manifest = { id: 'late', name: 'late', version: '1.0.0', type: 'app', objects: [], objectExtensions };
    context.hook('kernel:ready', async () =>
      context.getService<{ register(manifest: object): void }>('manifest').register(manifest),
    );
  },
};

it('compares records once, though a plugin adds a field at the end of each start', async () => {
  const { filename, remove } = temporaryDatabase();
  onTestFinished(remove);
  const objects = [{ name: 'task', label: 'Task', sync: { enabled: true }, fields: { title: text } }];
  const run = async () => {
    const sync = new SyncProtocolPlugin();
    const { engine, stop } = await startKernel({ objects, plugins: [sync, lateField], filename });
    let reads = 0;
    engine.registerMiddleware(async ({ object, operation }, next) => {
      if (object === 'task' && operation === 'find') reads++;
      await next();
    });
    await sync.enrolled();
    await stop();
    return reads > 0;
  };
  const before = await startKernel({ objects, plugins: [], filename });
  await before.engine.transaction(
    async () => {
      for (let n = 0; n < 500; n++) await before.engine.insert('task', { title: `${n}` }, { context: AS_SYSTEM });
    },
    AS_SYSTEM,
    { require: true },
  );
  await before.stop();
  expect([await run(), await run()]).toEqual([true, false]);
});
