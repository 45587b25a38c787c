/** What the app has written and could not be recorded at once. */
import { SyncHandler } from '@objectql/protocol-sync';
import { expect, it, vi } from 'vitest';
import { failing, startDevice, system } from './local-device.fixture.js';

// ObjectStack takes seconds to load on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

it('I13 records by itself what could not be recorded at first', async () => {
  const server = new SyncHandler();
  let isBroken = false;
  // It is asked in the write's own transaction as well.
  const busy = failing(
    ({ object, context }) => isBroken && object === 'objectstack_sync_outbox' && context?.transaction === undefined,
  );
  const device = await startDevice(server, { name: 'a', plugins: [busy] });
  isBroken = true;
  await device.engine.insert('task', { id: 't1', title: 'Buy milk' }, system);
  const meanwhile = [device.sync.client.status.pending, device.failures];
  isBroken = false;
  await vi.waitFor(async () => expect((await server.getRecord('task', 't1'))?.data?.title).toBe('Buy milk'), 10_000);
  expect(meanwhile).toEqual([0, ['The disk is full.']]);
});
