/** Tabs of one browser on one storage, each with a clock of its own that stands still while the tab hangs or is frozen. */
import { TestBrowser, type TestTab } from '../../src/platform/test-browser.fixture.js';
import { TestPlatform } from '../../src/platform/test-platform.js';
import { sharedTabs } from '../../src/tabs/shared-tabs.js';
import { FaultStorage } from '../../src/testing/fault-storage.js';
import { type Device, type DeviceOptions, device } from '../fixtures/device.js';
import { LastingStorage } from '../fixtures/lasting-storage.js';
import { type Connection, type RealServer, realServer } from '../fixtures/real-server.js';

export interface Tab extends Device {
  readonly host: TestTab;
  readonly connection: Connection;
  /** Whether its clock goes on. */
  runs: boolean;
  /** Whether it has crashed or was closed. */
  isGone: boolean;
}

export interface Tabs {
  readonly server: RealServer;
  /** What all tabs share; each has a way to it, its own `storage`, that fails alone. */
  readonly storage: FaultStorage;
  readonly tabs: readonly Tab[];
  open(options?: Partial<DeviceOptions>): Tab;
  /** Moves the clocks of all tabs that run, in steps that let them talk. */
  advance(ms: number): Promise<void>;
  hang(tab: Tab): void;
  freeze(tab: Tab): void;
  goOn(tab: Tab): Promise<void>;
  crash(tab: Tab): void;
  close(tab: Tab): Promise<void>;
}

const STEP_MS = 250;

/** A browser with `count` tabs, of which the first leads. */
export async function openTabs(count: number, defaults: Partial<DeviceOptions> = {}): Promise<Tabs> {
  const browser = new TestBrowser();
  const serverPlatform = new TestPlatform({ seed: 99 });
  const server = realServer(serverPlatform);
  const shared = defaults.storage ?? new FaultStorage(sharedStorage());
  const tabs: Tab[] = [];
  const world: Tabs = {
    server,
    storage: shared,
    tabs,
    open(options = {}) {
      const host = browser.newTab();
      const connection = server.connect();
      const opened = device({
        transport: connection.transport,
        ...defaults,
        ...options,
        platform: new TestPlatform({ seed: tabs.length + 1 }),
        storage: new FaultStorage(shared),
        tabs: options.tabs ?? sharedTabs({ host }),
      });
      const tab: Tab = Object.assign(opened, { host, connection, runs: true, isGone: false });
      tabs.push(tab);
      return tab;
    },
    async advance(ms) {
      for (let passed = 0; passed < ms; passed += STEP_MS) {
        await serverPlatform.advance(STEP_MS);
        for (const { platform, runs } of tabs) if (runs) await platform.advance(STEP_MS);
      }
    },
    hang(tab) {
      tab.runs = false;
      tab.host.hang();
    },
    freeze(tab) {
      tab.runs = false;
      tab.host.freeze();
    },
    async goOn(tab) {
      tab.runs = true;
      tab.host.goOn();
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

/** A storage that tabs may share, and that stays open when one of them closes, as a database does. */
export function sharedStorage() {
  return Object.assign(new LastingStorage(), { sharedName: 'app' });
}

/** Lets the storage refuse whatever the tab asks of it, until it is healed. */
export function refuse({ storage }: Tab, error: Error): void {
  storage.fail('load', error);
  storage.fail('commit', error);
}
