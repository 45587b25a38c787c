/** Tabs of one browser on one storage, each with a clock of its own that stands still while the tab is frozen. */
import { TestBrowser, type TestTab } from '../../src/platform/test-browser.fixture.js';
import { TestPlatform } from '../../src/platform/test-platform.js';
import { MemoryStorage } from '../../src/storage/memory-storage.js';
import { StorageError } from '../../src/storage/storage-error.js';
import { sharedTabs } from '../../src/tabs/shared-tabs.js';
import { type Device, type DeviceOptions, device } from '../sync/device.js';
import { type Connection, type RealServer, realServer } from '../sync/real-server.js';

export interface Tab extends Device {
  readonly host: TestTab;
  readonly connection: Connection;
  /** Whether its clock goes on. */
  runs: boolean;
  /** Whether it has crashed or was closed. */
  isGone: boolean;
  /**
   * Its way to the storage; what is set as `refusal` is what it is answered from then on, and a silent one stores what it is
   * given and tells that it did not. What is set as `closing` is how its end fails.
   */
  readonly way: Way;
}

interface Way {
  refusal?: Error;
  isSilent?: boolean;
  closing?: Error;
}

export interface Tabs {
  readonly server: RealServer;
  readonly storage: MemoryStorage;
  readonly tabs: readonly Tab[];
  open(options?: Partial<DeviceOptions>): Tab;
  /** Moves the clocks of all tabs that run, in steps that let them talk. */
  advance(ms: number): Promise<void>;
  freeze(tab: Tab): void;
  thaw(tab: Tab): Promise<void>;
  crash(tab: Tab): void;
  close(tab: Tab): Promise<void>;
}

const STEP_MS = 250;

/** A browser with `count` tabs, of which the first leads. */
export async function openTabs(count: number, defaults: Partial<DeviceOptions> = {}): Promise<Tabs> {
  const browser = new TestBrowser();
  const serverPlatform = new TestPlatform({ seed: 99 });
  const server = realServer(serverPlatform);
  const shared = Object.assign(new MemoryStorage(), { sharedName: 'app' });
  const tabs: Tab[] = [];
  const world: Tabs = {
    server,
    storage: shared,
    tabs,
    open(options = {}) {
      const host = browser.newTab();
      const connection = server.connect();
      const storage = keptOpen(shared);
      const opened = device({
        transport: connection.transport,
        ...defaults,
        ...options,
        platform: new TestPlatform({ seed: tabs.length + 1 }),
        storage,
        tabs: sharedTabs({ host }),
      });
      const tab: Tab = Object.assign(opened, { host, connection, runs: true, isGone: false, way: storage });
      tabs.push(tab);
      return tab;
    },
    async advance(ms) {
      for (let passed = 0; passed < ms; passed += STEP_MS) {
        await serverPlatform.advance(STEP_MS);
        for (const { platform, runs } of tabs) if (runs) await platform.advance(STEP_MS);
      }
    },
    freeze(tab) {
      tab.runs = false;
      tab.host.freeze();
    },
    async thaw(tab) {
      tab.runs = true;
      tab.host.thaw();
      await tab.platform.advance(0);
    },
    crash(tab) {
      tab.runs = false;
      tab.isGone = true;
      tab.host.crash();
    },
    async close(tab) {
      await tab.plugin.close();
      tab.runs = false;
      tab.isGone = true;
    },
  };
  for (let tab = 0; tab < count; tab++) {
    world.open();
    await world.advance(STEP_MS);
  }
  return world;
}

/** The tab that was opened as number `index`. */
export function pick(world: Tabs, index: number): Tab {
  const tab = world.tabs[index];
  if (!tab) throw new Error(`There is no tab ${index}.`);
  return tab;
}

/** Two tabs, the first of which leads. */
export async function two(options?: Parameters<typeof openTabs>[1]) {
  const world = await openTabs(2, options);
  return { world, leader: pick(world, 0), follower: pick(world, 1) };
}

/** The storage stays open when one of its tabs closes, as a database does. */
function keptOpen(storage: MemoryStorage & { readonly sharedName: string }) {
  const way: Way = {};
  const pass = () => (way.refusal ? Promise.reject(way.refusal) : Promise.resolve());
  return Object.assign(way, {
    sharedName: storage.sharedName,
    load: () => pass().then(() => storage.load()),
    commit: async (batch: Parameters<MemoryStorage['commit']>[0]) => {
      await pass();
      await storage.commit(batch);
      if (way.isSilent) throw new StorageError('LOCKED', 'The end is not told.');
    },
    getRecords: (refs: Parameters<MemoryStorage['getRecords']>[0]) => storage.getRecords(refs),
    listRecords: (objectName: string) => storage.listRecords(objectName),
    close: async () => {
      if (way.closing) throw way.closing;
    },
  });
}
