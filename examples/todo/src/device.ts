/** A device: a sync client with a storage and a network switch of its own. A page may hold several. */
import { httpTransport, liveUpdates, SyncPlugin, systemPlatform } from '@objectql/plugin-sync';
import { IndexedDbStorage } from '@objectql/plugin-sync/indexeddb';
import { sharedTabs } from '@objectql/plugin-sync/tabs';
import { objects } from '../objects.js';
import { NetworkSwitch } from './network-switch.js';

export interface Device {
  readonly name: string;
  readonly sync: SyncPlugin;
  readonly network: NetworkSwitch;
}

/** Opens the device that keeps its tasks in the database `storage`; what is pending there is sent. */
export function openDevice({ name, storage }: { readonly name: string; readonly storage: string }): Device {
  const network = new NetworkSwitch(`${storage}-network`);
  const sync = new SyncPlugin({
    clientId: clientIdOf(storage),
    transport: httpTransport({ url: '/api/sync' }),
    storage: new IndexedDbStorage(storage),
    live: liveUpdates(),
    tabs: sharedTabs(),
    platform: network.platform,
    objects,
  });
  return { name, sync, network };
}

/** As lasting as the storage it names. */
function clientIdOf(storage: string): string {
  const key = `${storage}-client`;
  const id = localStorage.getItem(key) ?? systemPlatform.newId();
  localStorage.setItem(key, id);
  return id;
}
