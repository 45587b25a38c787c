/** One process of a device's app: it can end at any moment, while the storage stays. */
import { liveUpdates, type SyncConflict, SyncPlugin } from '@objectql/plugin-sync';
import { sharedTabs } from '@objectql/plugin-sync/tabs';
import { configsOf } from './device-configs.js';
import { DevicePlatform } from './device-platform.js';
import { DeviceStreams } from './device-streams.js';
import type { DeviceWatch } from './device-watch.js';
import type { Disk } from './disk.js';
import { Gate, never } from './gate.js';
import { gatedStorage } from './gated-storage.js';
import type { Mutant } from './mutants/mutant.js';
import type { Message, Network } from './network.js';
import type { StreamWay, WorldPlan } from './plan.js';
import { Random } from './random.js';
import type { StreamNetwork } from './stream-network.js';
import type { Browser } from './tabs/browser.js';
import type { BrowserTab } from './tabs/browser-tab.js';
import { SharedDisk } from './tabs/shared-disk.js';
import { TabApp } from './tabs/tab-app.js';
import type { VirtualTime } from './virtual-time.js';

/** What a process needs to run. */
export interface DeviceProcessParts {
  readonly name: string;
  readonly index: number;
  readonly clientId: string;
  /** To whom the device belongs. */
  readonly owner: string;
  readonly disk: Disk;
  /** The browser, if the device is a tab that knows of others. */
  readonly browser: Browser | undefined;
  /** What is in the way of its live streams; `undefined` if it has no live updates. */
  readonly way?: StreamWay | undefined;
  readonly hasEngine: boolean;
  /** How many processes of the device there are by now. */
  readonly start: number;
  readonly seed: number;
  readonly world: WorldPlan;
  readonly time: VirtualTime;
  readonly mutant: Mutant | undefined;
  readonly watch: DeviceWatch;
  readonly aheadMs: () => number;
  readonly isOnline: () => boolean;
  readonly isSeen: () => boolean;
  readonly isFaulty: () => boolean;
  readonly newId: () => string;
  readonly log: (line: string) => void;
  readonly send: (message: Message) => ReturnType<Network['send']>;
  readonly fetchStream: StreamNetwork['fetch'];
  /** The token of its session. */
  readonly token: () => string;
  /** Called when the armed crash is due. */
  readonly onCrash: () => void;
  /** Called when a sync has ended. */
  readonly onSynced: () => void;
}

/** What a storage does that did not hear how its write has ended: it says so, or asks once more. */
export type Untold = 'unanswered' | 'asked again';

/** 300 ms: how early a mutant tells the user that something is durable. */
const EARLY_MS = 300;
/** 100 ms: how long a lost connection to a storage takes to open again. */
const REOPEN_MS = 100;

export class DeviceProcess {
  readonly plugin: SyncPlugin;
  /** Its access to what is durable; dead when the process has crashed. */
  readonly gate: Gate;
  /** Its place among the tabs of its browser, if it is a tab. */
  readonly tab: BrowserTab | undefined;
  /** What the user of a tab sees and waits for. */
  readonly app: TabApp | undefined;
  readonly #parts: DeviceProcessParts;
  readonly #platform: DevicePlatform;
  readonly #storage: SharedDisk | undefined;
  readonly #latency: Random;
  /** Draws when the connection to the storage is lost. */
  readonly #connection: Random;
  #nextUntold: Untold | undefined;
  /** Its live streams, if it has live updates. */
  readonly #streams: DeviceStreams | undefined;

  /** Starts over what is durable. */
  constructor(parts: DeviceProcessParts) {
    const { name, start, seed, world, time, isFaulty, onCrash, browser, disk, isSeen } = parts;
    const { slowStorage: slow, failStorage: fail } = world.faults;
    this.#parts = parts;
    this.#latency = new Random(seed, 'latency', name, start);
    this.#connection = new Random(seed, 'connection', name, start);
    this.tab = browser?.newTab(name, isSeen);
    this.#storage = browser && new SharedDisk(disk, { sharedName: browser.name, onAsked: () => this.tab?.stores() });
    this.gate = new Gate({
      time,
      random: new Random(seed, name, start),
      faults: () => (isFaulty() ? { slow, fail } : { slow: 0, fail: 0 }),
      onCrash,
      whileStill: this.tab && (() => this.tab?.whileStill()),
      wait: world.tabs?.storageMs && this.tab ? () => this.#wait() : undefined,
    });
    this.#platform = this.#newPlatform();
    this.#streams = this.#newStreams();
    this.plugin = this.#newPlugin();
    this.app = this.tab && new TabApp(this.plugin);
  }

  /** Ends it wherever it is. */
  kill(): void {
    this.gate.kill();
    this.tab?.die();
  }

  /** What was stored has been deleted in another tab. */
  tellLost(): void {
    this.tab?.hear(() => this.#storage?.tellLost());
  }

  tellConnectivity(isOnline: boolean): void {
    this.#platform.tellConnectivity(isOnline);
  }

  /** Lets it not hear that its next write is stored. */
  untellNext(how: Untold): void {
    this.#nextUntold = how;
  }

  /** Why nothing will ever go on by itself, if so. */
  findStandstill(): string | undefined {
    // A tab shows what another one told last, which may not know yet what this one has recorded.
    if (this.gate.underWay > 0 || this.tab) return undefined;
    const { state, pending } = this.plugin.client.status;
    const isStuck =
      (state === 'idle' && pending > 0) ||
      (state === 'offline' && this.#parts.isOnline() && pending > 0) ||
      ((state === 'syncing' || state === 'waiting') && this.#platform.timers === 0) ||
      state === 'closed';
    return isStuck ? `${this.#parts.name} is ${state} with ${pending} pending and no timer.` : undefined;
  }

  /** How its live updates are not what they say, if so. */
  findFalseLive(): string | undefined {
    return this.#streams?.findFalse(this.plugin.client.status.live);
  }

  #newPlugin(): SyncPlugin {
    const { name, clientId, owner, hasEngine, world, mutant, watch, log, onSynced } = this.#parts;
    return new SyncPlugin({
      clientId,
      user: owner,
      platform: this.#platform,
      storage: this.#gatedStorage(),
      tabs: this.tab && sharedTabs({ host: this.tab }),
      transport: {
        push: (request, options) => {
          if (this.gate.isDead) return never();
          watch.sent(request);
          return this.#send({ kind: 'push', request, onNextPage: options?.onNextPage });
        },
        pull: (request, options) => this.#send({ kind: 'pull', request, onNextPage: options?.onNextPage }),
        ...(this.#streams && { stream: this.#streams.open }),
      },
      live: this.#streams && liveUpdates({ whileHidden: mutant?.isRestless }),
      objects: configsOf(world, hasEngine),
      defaultConfig: { enabled: true },
      listeners: [
        {
          onConflict: (conflicts) => watch.hear(conflicts.map(({ clientMutation }) => clientMutation.id)),
          onDropped: (dropped) => watch.hear(dropped.map(({ mutation }) => mutation.id)),
          onSyncError: (error) => log(`${name}: ${error.message}`),
          onSyncComplete: () => {
            this.app?.noteSync();
            onSynced();
          },
        },
      ],
      onConflict: world.isMerging ? merge : undefined,
    });
  }

  #gatedStorage(): ReturnType<typeof gatedStorage> {
    const { disk, time, mutant, watch } = this.#parts;
    return gatedStorage(this.#storage ?? disk.storage, {
      gate: this.gate,
      steps: mutant?.batch && ((batch) => mutant.batch?.(batch, disk.shadow) ?? [batch]),
      delay: mutant?.isToldEarly || mutant?.isSentEarly ? () => time.sleep(EARLY_MS) : undefined,
      untold: this.tab && ((again) => this.#untold(again)),
      onCommit: (batch) => watch.stored(batch),
      onKnown: (batch) => watch.known(batch),
    });
  }

  #wait(): Promise<void> {
    const { time, world } = this.#parts;
    return time.sleep(this.#latency.between(0, world.tabs?.storageMs ?? 0));
  }

  /**
   * A browser has closed the connection before it told how a transaction ended: the storage asks again, or cannot tell.
   */
  async #untold(again: () => Promise<void>): Promise<void> {
    const how = this.#nextUntold ?? this.#drawUntold();
    this.#nextUntold = undefined;
    if (!how) return;
    if (how === 'unanswered') throw new Error('The simulation made this write end without an answer.');
    await this.#parts.time.sleep(this.#connection.between(0, REOPEN_MS));
    await again();
  }

  #drawUntold(): Untold | undefined {
    const { world, isFaulty } = this.#parts;
    const random = this.#connection;
    return isFaulty() && random.chance(world.tabs?.untold ?? 0)
      ? random.pick(['unanswered', 'asked again'])
      : undefined;
  }

  #send(message: Message): ReturnType<Network['send']> {
    if (this.gate.isDead) return never();
    const { onNextPage } = message;
    if (!this.tab) return this.#parts.send(message);
    const tab = this.tab;
    const sent = this.#parts.send({
      ...message,
      onNextPage: onNextPage && ((at) => tab.whenRunning(() => onNextPage(at))),
    });
    return sent.finally(() => tab.whileStill());
  }

  #newStreams(): DeviceStreams | undefined {
    const { name, way, time, isOnline, token, fetchStream } = this.#parts;
    if (!way) return undefined;
    return new DeviceStreams({
      name,
      gate: this.gate,
      tab: this.tab,
      platform: this.#platform,
      time,
      way,
      fetchStream,
      isOnline,
      token,
    });
  }

  #newPlatform(): DevicePlatform {
    const { time, index, start, seed, mutant, aheadMs, newId, isOnline, isSeen } = this.#parts;
    const { tab } = this;
    return new DevicePlatform({
      time,
      gate: this.gate,
      random: mutant?.jitter ? { next: mutant.jitter } : new Random(seed, 'jitter', index, start),
      aheadMs,
      newId,
      isOnline,
      isSeen,
      goesOff: (tab && mutant?.goesOffInTab) ?? mutant?.goesOff ?? (() => true),
      runTimer: tab && ((work) => tab.runTimer(work)),
    });
  }
}

const merge = ({ serverRecord, clientMutation }: SyncConflict) =>
  serverRecord ? { ...serverRecord, ...clientMutation.data } : undefined;
