/** A server at a branch: it serves devices from its data engine, which itself syncs with the server of the head office. */
import { SyncPlugin } from '@objectql/plugin-sync';
import { type SyncHandler, SyncProtocolPlugin } from '@objectql/protocol-sync';
import type { KernelPlugin } from '@objectql/sync-types/kernel';
import { expect, onTestFinished } from 'vitest';
import { eventually } from '../../../plugin-sync/test/fixtures/eventually.js';
import { type DeviceParts, startDevice, system, titlesAt } from './local-device.fixture.js';

/** A branch, its devices, and what all of them have. */
export async function startBranch(
  office: SyncHandler,
  parts: Pick<DeviceParts, 'driver' | 'objects' | 'plugins' | 'synced'> = {},
) {
  const protocol = new SyncProtocolPlugin();
  const branch = await startDevice(office, { name: 'branch', ...parts, lastPlugins: [protocol as KernelPlugin] });
  const ada = { principal: { id: 'ada', context: system.context } };
  const failures: string[] = [];
  const phones: SyncPlugin[] = [];
  const addPhone = (clientId: string) => {
    const phone = new SyncPlugin({
      clientId,
      objects: { task: { enabled: true } },
      transport: { push: (request) => protocol.handler.handlePush(request, undefined, ada) },
      listeners: [{ onSyncError: ({ message }) => void failures.push(message) }],
    });
    onTestFinished(() => phone.close());
    phones.push(phone);
    return { sync: phone, tasks: phone.getEngine<{ title: string }>('task').records };
  };
  const syncPhones = () => Promise.all(phones.map((phone) => phone.syncAll()));
  const seenOn = async (phone: SyncPlugin) => {
    const records = await phone.getEngine<{ title: string }>('task').records.list();
    return Object.fromEntries(records.map(({ recordId, data }) => [recordId, data.title]));
  };
  /** The titles at the head office, the branch and its devices, once they are the same. */
  const titles = () =>
    eventually(async () => {
      await syncPhones();
      await branch.exchange();
      await syncPhones();
      const rows = (await branch.engine.find('task', {}, system)) as readonly { id: string; title: string }[];
      const atOffice = await titlesAt(office);
      expect(Object.fromEntries(rows.map(({ id, title }) => [id, title]))).toEqual(atOffice);
      for (const phone of phones) expect(await seenOn(phone)).toEqual(atOffice);
      return atOffice;
    });
  return { ...branch, addPhone, titles, allFailures: () => [...branch.failures, ...failures] };
}
