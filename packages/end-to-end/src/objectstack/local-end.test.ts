/** What a local engine is asked for when sync has ended on it. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MemoryStorage } from '@objectql/plugin-sync';
import { SyncHandler } from '@objectql/protocol-sync';
import type { KernelContext, KernelPlugin } from '@objectql/sync-types/kernel';
import type { ObjectQL } from '@objectstack/objectql';
import { expect, it, vi } from 'vitest';
import { startDevice } from './local-device.fixture.js';

// ObjectStack takes seconds to load on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

it('asks nothing of the engine any more when it ends while it looks what is gone since an earlier process', async () => {
  let asked = 0;
  let goOn = () => {};
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const holding: KernelPlugin = {
    name: 'holding',
    version: '1.0.0',
    dependencies: ['app'],
    init(context: KernelContext) {
      context.getService<ObjectQL>('objectql').registerMiddleware(async (operation, next) => {
        const isLook = operation.object === 'objectstack_sync_known' && operation.context?.transaction === undefined;
        if (operation.operation === 'find' && isLook) {
          asked += 1;
          await held;
        }
        await next();
      });
    },
  };
  const storage = new MemoryStorage();
  const synced = ['task', 'sys_file'];
  const device = { name: 'a', plugins: [holding], synced, storage, isOffline: true };
  const { sync, local, network } = await startDevice(new SyncHandler(), device);
  await local.settled();
  network.isOffline = false;
  await sync.syncAll();
  await vi.waitFor(() => expect(asked).toBe(1));
  const ended = local.destroy();
  goOn();
  await ended;
  await nextTurn();
  expect(asked).toBe(1);
});
