/** A server at a branch: it serves devices from its data engine, which itself syncs with the server of the head office. */
import { SyncPlugin } from '@objectql/plugin-sync';
import { SyncHandler, SyncProtocolPlugin } from '@objectql/protocol-sync';
import type { KernelPlugin } from '@objectql/sync-types/kernel';
import { expect, it, vi } from 'vitest';
import { startDevice, system, titlesAt } from './local-device.fixture.js';

// ObjectStack takes seconds to load on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

it('I4 ends with the same records at the head office, at the branch and on a device of the branch', async () => {
  const office = new SyncHandler({ authorize: { write: ({ mutation }) => mutation.data?.title !== 'forbidden' } });
  const protocol = new SyncProtocolPlugin();
  const branch = await startDevice(office, { name: 'branch', plugins: [protocol as KernelPlugin] });
  const ada = { principal: { id: 'ada', context: system.context } };
  await using phone = new SyncPlugin({
    clientId: 'phone',
    objects: { task: { enabled: true } },
    transport: { push: (request) => protocol.handler.handlePush(request, undefined, ada) },
  });
  const records = phone.getEngine<{ title: string }>('task').records;
  /** The titles at all three, once they are the same. */
  const titles = () =>
    vi.waitFor(async () => {
      await phone.syncAll();
      await branch.exchange();
      await phone.syncAll();
      const rows = (await branch.engine.find('task', {}, system)) as readonly { id: string; title: string }[];
      const seen = (await records.list()).map(({ recordId, data }) => [recordId, data.title] as const);
      const atOffice = await titlesAt(office);
      expect(Object.fromEntries(rows.map(({ id, title }) => [id, title]))).toEqual(atOffice);
      expect(Object.fromEntries(seen)).toEqual(atOffice);
      return atOffice;
    });

  records.create('p1', { title: 'By the phone' });
  await branch.engine.insert('task', { id: 'b1', title: 'By the branch' }, system);
  await office.recordChange({
    objectName: 'task',
    recordId: 'o1',
    operation: 'create',
    data: { title: 'By the office' },
  });
  expect(await titles()).toEqual({ p1: 'By the phone', b1: 'By the branch', o1: 'By the office' });
  await office.recordChange({ objectName: 'task', recordId: 'p1', operation: 'update', data: { title: 'Changed' } });
  records.update('o1', { title: 'Changed' });
  await branch.engine.delete('task', { where: { id: 'b1' }, ...system });
  expect(await titles()).toEqual({ p1: 'Changed', o1: 'Changed' });

  records.update('p1', { title: 'forbidden' });
  await vi.waitFor(async () => {
    await titles();
    expect(branch.sync.client.deadLetters.list().map(({ code }) => code)).toEqual(['FORBIDDEN']);
  });
  expect(await titles()).toEqual({ p1: 'Changed', o1: 'Changed' });
  expect(branch.failures).toEqual([]);
});
