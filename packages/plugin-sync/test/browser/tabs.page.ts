/** What each tab holds in which several tabs share one database: a client of the app, which the test outside drives. */
import { IndexedDbStorage } from '../../src/storage/indexeddb-storage.js';
import { SyncPlugin } from '../../src/sync-plugin.js';
import type { SyncStatus } from '../../src/sync-status.js';
import { sharedTabs } from '../../src/tabs/shared-tabs.js';
import { httpTransport } from '../../src/transport/http-transport.js';

export interface TabsPage {
  /** Starts the client of this tab on the database and the object `app`; its requests say that they are of `tab`. */
  open(app: string, tab: string): Promise<void>;
  /** Records the creation of a task. Resolves with the mutation's id when it is durable. */
  create(recordId: string): Promise<string>;
  sync(): Promise<boolean>;
  settled(id: string): Promise<string>;
  /** The ids of the tasks this tab shows, and how sync stands. */
  shows(): { readonly tasks: readonly unknown[]; readonly status: SyncStatus };
  /** How many syncs this tab was told of. */
  syncsTold(): number;
  /** Ends the client of this tab and deletes what is stored. */
  signOut(): Promise<void>;
  /** Blocks the tab until the server answers `/block`, as an endless loop would. */
  block(): void;
}

let plugin: SyncPlugin;
let objectName = '';
let tasks: readonly unknown[] = [];
let syncs = 0;

const tabsPage: TabsPage = {
  async open(app, tab) {
    objectName = app;
    plugin = new SyncPlugin({
      clientId: 'browser',
      transport: httpTransport({ url: `${location.origin}/api/sync`, headers: { 'x-tab': tab }, compress: false }),
      storage: new IndexedDbStorage(app),
      tabs: sharedTabs(),
      objects: { [app]: { enabled: true, debounce_ms: 20 } },
      listeners: [{ onSyncStart: () => void syncs++ }],
    });
    plugin.getEngine(objectName).records.subscribe((records) => {
      tasks = records.map(({ recordId }) => recordId).sort();
    });
    await plugin.client.open();
  },
  async create(recordId) {
    const { id } = plugin.getEngine(objectName).records.create(recordId, { title: recordId });
    await plugin.client.log.flush();
    return id;
  },
  sync: async () => (await plugin.client.sync()) !== null,
  settled: async (id) => (await plugin.client.settled(id)).status,
  shows: () => ({ tasks, status: plugin.client.status }),
  syncsTold: () => syncs,
  async signOut() {
    await plugin.close();
    await IndexedDbStorage.delete(objectName);
  },
  block() {
    const request = new XMLHttpRequest();
    request.open('GET', '/block', false);
    request.send();
  },
};

Object.assign(globalThis, { tabsPage });
