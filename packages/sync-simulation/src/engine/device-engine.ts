/** A device's use of a local data engine: one process of its app after another, on an engine that stays. */
import type { StorageBatch, SyncPlugin } from '@objectql/plugin-sync';
import type { Disk } from '../disk.js';
import type { Gate } from '../gate.js';
import type { Mutant } from '../mutants/mutant.js';
import type { WorldPlan } from '../plan.js';
import { nameOf } from '../record-name.js';
import type { VirtualTime } from '../virtual-time.js';
import type { Committer, EnginePlace } from './engine-place.js';
import { LocalApp } from './local-app.js';
import type { EngineFaults } from './memory-engine.js';

export interface DeviceEngineParts {
  readonly name: string;
  readonly user: string;
  readonly disk: Disk;
  readonly place: EnginePlace;
  readonly time: VirtualTime;
  readonly mutant: Mutant | undefined;
  readonly world: WorldPlan;
  readonly isFaulty: () => boolean;
  /** Whether it receives other devices' changes of an object. */
  readonly keeps: (objectName: string) => boolean;
  /** Told of each note that is durable. */
  readonly onNoted: (id: string) => void;
  /** Called after each commit. */
  readonly onChanged: () => void;
}

export class DeviceEngine {
  /** The process that is running. */
  app: LocalApp | undefined;
  /** False while the device has lent its engine to another user. */
  isOwn = true;
  readonly #parts: DeviceEngineParts;
  /** The records that the client has had in this process. */
  #held = new Set<string>();
  #hasCaughtUp = false;
  /** The number of user's decisions that are being recorded. */
  #decisions = 0;
  /** Until when more of sync's commits fail than otherwise. */
  #failing = { until: 0, share: 0 };

  constructor(parts: DeviceEngineParts) {
    this.#parts = parts;
  }

  get place(): EnginePlace {
    return this.#parts.place;
  }

  /** Starts another process. Rejects if it cannot go on. */
  start(plugin: SyncPlugin, gate: Gate): Promise<void> {
    const { disk, name, user, keeps, world, place, time, mutant, onNoted, onChanged } = this.#parts;
    const { engines: plan } = world;
    if (!plan) throw new Error('The schedule has no engines.');
    const faults: EngineFaults = (asked) => this.#faults(asked);
    const { records, pending, conflicts, deadLetters } = disk.shadow;
    // What was refused is taken back again where the engine has lost that in a power cut.
    const named = [...pending.keys(), ...conflicts, ...deadLetters].map((id) => disk.entryById.get(id)?.name ?? '');
    const held = new Set([...records.keys(), ...named]);
    this.#held = held;
    this.#hasCaughtUp = false;
    this.#decisions = 0;
    const hasCaughtUp = () => this.#hasCaughtUp;
    const committer: Committer = {
      name,
      user,
      get meta() {
        return disk.shadow.meta;
      },
      get hasCaughtUp() {
        return hasCaughtUp();
      },
      keeps,
      hasHeld: (record) => held.has(record),
      noted: onNoted,
      changed: onChanged,
    };
    this.app = new LocalApp({ place, plugin, gate, faults, time, committer, mutant, plan });
    return this.app.start();
  }

  /** For a while, this share of the commits fails that sync makes by itself. */
  failCommits(share: number, forMs: number): void {
    this.#failing = { until: this.#parts.time.now() + forMs, share };
  }

  stop(): void {
    this.app = undefined;
  }

  /** A sync has ended. */
  caughtUp(): void {
    this.#hasCaughtUp = true;
  }

  /** Records a user's decision that has just begun and is not noted anywhere. */
  async decide<T>(answer: Promise<T>): Promise<T> {
    const { app } = this;
    this.#decisions += 1;
    try {
      return await answer;
    } finally {
      if (app === this.app) this.#decisions -= 1;
    }
  }

  /** Judges and notes what the client has stored. */
  committed({ putEntries = [], putRecords = [] }: StorageBatch): void {
    const { disk, place, name, user } = this.#parts;
    for (const record of putRecords) this.#held.add(nameOf(record));
    for (const { mutation, round } of putEntries) {
      this.#held.add(nameOf(mutation));
      const { id, sequence } = mutation;
      // If it is recorded again after a crash, it gets another outcome once its first is forgotten.
      if (sequence !== (disk.entryById.get(id)?.sequence ?? sequence)) disk.setAside.add(id);
      disk.entryById.set(id, { name: nameOf(mutation), sequence });
      if (!this.app) continue;
      if (round > 0 || this.#decisions > 0) {
        place.decided(mutation);
        continue;
      }
      const isDecided = disk.shadow.conflicts.has(mutation.id) || disk.shadow.deadLetters.has(mutation.id);
      if (isDecided) place.recordedTwice(mutation, name);
      else if (!disk.logged.has(mutation.id)) place.recorded(mutation, { user, name, meta: disk.shadow.meta });
    }
  }

  /** True for a mutation that waits in the engine to be recorded. */
  isWaiting(id: string): boolean {
    return this.place.isWaiting(id);
  }

  #faults(asked: Parameters<EngineFaults>[0]): ReturnType<EngineFaults> {
    const { world, isFaulty, time } = this.#parts;
    const { slow = 0, fail = 0 } = world.engines ?? {};
    if (!isFaulty()) return { slow: 0, fail: 0 };
    const isFailing = asked === 'commit of sync' && time.now() < this.#failing.until;
    return { slow, fail: isFailing ? Math.max(fail, this.#failing.share) : fail };
  }
}
