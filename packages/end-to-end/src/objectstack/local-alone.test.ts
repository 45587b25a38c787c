/** What a local engine alone has, and nobody can bring back. */
import { SyncHandler } from '@objectql/protocol-sync';
import { expect, it, vi } from 'vitest';
import { startDevice, system } from './local-device.fixture.js';

// ObjectStack takes seconds to load on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

it('keeps what is push-only once the server has it', async () => {
  const server = new SyncHandler();
  const device = await startDevice(server, {
    name: 'a',
    objects: { task: { enabled: true, direction: 'push-only' } },
  });
  await device.engine.insert('task', { id: 't1', title: 'Mine' }, system);
  await device.exchange();
  expect([await device.tasks(), device.sync.client.status.pending]).toEqual([{ t1: 'Mine (new)' }, 0]);
});
