/** One process of a device's app: it can end at any moment, while the storage stays. */
import { liveUpdates, type SyncConflict, SyncPlugin } from '@objectql/plugin-sync';
import { configsOf } from './device-configs.js';
import { DevicePlatform } from './device-platform.js';
import { DeviceStreams } from './device-streams.js';
import type { DeviceWatch } from './device-watch.js';
import type { Disk } from './disk.js';
import { Gate, never } from './gate.js';
import { gatedStorage } from './gated-storage.js';
import type { Mutant } from './mutants/mutant.js';
import type { Message, Network } from './network.js';
import type { WorldPlan } from './plan.js';
import { Random } from './random.js';
import type { StreamNetwork } from './stream-network.js';
import type { VirtualTime } from './virtual-time.js';

/** What a process needs to run. */
export interface DeviceProcessParts {
  readonly name: string;
  readonly index: number;
  readonly clientId: string;
  /** To whom the device belongs. */
  readonly owner: string;
  readonly disk: Disk;
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

/** 300 ms: how early a mutant tells the user that something is durable. */
const EARLY_MS = 300;

export class DeviceProcess {
  readonly plugin: SyncPlugin;
  /** Its access to what is durable; dead when the process has crashed. */
  readonly gate: Gate;
  readonly #parts: DeviceProcessParts;
  readonly #platform: DevicePlatform;
  /** Its live streams, if it has live updates. */
  readonly #streams: DeviceStreams | undefined;

  /** Starts over what is durable. */
  constructor(parts: DeviceProcessParts) {
    const { name, start, seed, world, time, isFaulty, onCrash } = parts;
    const { slowStorage: slow, failStorage: fail } = world.faults;
    this.#parts = parts;
    this.gate = new Gate({
      time,
      random: new Random(seed, name, start),
      faults: () => (isFaulty() ? { slow, fail } : { slow: 0, fail: 0 }),
      onCrash,
    });
    this.#platform = this.#newPlatform();
    this.#streams = this.#newStreams();
    this.plugin = this.#newPlugin();
  }

  tellConnectivity(isOnline: boolean): void {
    this.#platform.tellConnectivity(isOnline);
  }

  /** Why nothing will ever go on by itself, if so. */
  findStandstill(): string | undefined {
    if (this.gate.underWay > 0) return undefined;
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
      storage: this.#storage(),
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
          onSyncComplete: onSynced,
        },
      ],
      onConflict: world.isMerging ? merge : undefined,
    });
  }

  #storage(): ReturnType<typeof gatedStorage> {
    const { disk, time, mutant, watch } = this.#parts;
    return gatedStorage(disk.storage, {
      gate: this.gate,
      steps: mutant?.batch && ((batch) => mutant.batch?.(batch, disk.shadow) ?? [batch]),
      delay: mutant?.isToldEarly || mutant?.isSentEarly ? () => time.sleep(EARLY_MS) : undefined,
      onCommit: (batch) => watch.stored(batch),
      onKnown: (batch) => watch.known(batch),
    });
  }

  #send(message: Message): ReturnType<Network['send']> {
    return this.gate.isDead ? never() : this.#parts.send(message);
  }

  #newStreams(): DeviceStreams | undefined {
    const { index, name, world, time, isOnline, token, fetchStream } = this.#parts;
    const way = world.live?.ways[index];
    if (!way) return undefined;
    return new DeviceStreams({
      name,
      gate: this.gate,
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
    return new DevicePlatform({
      time,
      gate: this.gate,
      random: mutant?.jitter ? { next: mutant.jitter } : new Random(seed, 'jitter', index, start),
      aheadMs,
      newId,
      isOnline,
      isSeen,
      goesOff: mutant?.goesOff ?? (() => true),
    });
  }
}

const merge = ({ serverRecord, clientMutation }: SyncConflict) =>
  serverRecord ? { ...serverRecord, ...clientMutation.data } : undefined;
