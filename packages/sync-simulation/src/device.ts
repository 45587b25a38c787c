/** One device: an app that can crash at any moment over a storage that stays. */

import { type BaseRecord, type StorageBatch, type SyncConflict, SyncPlugin } from '@objectql/plugin-sync';
import type { SyncPushRequest } from '@objectql/sync-types';
import { configsOf } from './device-configs.js';
import { DeviceIds, type Moment } from './device-ids.js';
import { DevicePlatform } from './device-platform.js';
import { Disk, OBJECT_NAMES } from './disk.js';
import { DeviceEngine } from './engine/device-engine.js';
import type { EnginePlace } from './engine/engine-place.js';
import { Gate, never } from './gate.js';
import { gatedStorage } from './gated-storage.js';
import { findMissedChange, readPlace } from './invariants/checkpoint.js';
import { findLostMutation } from './invariants/durability.js';
import { findOvertaken } from './invariants/overtaken.js';
import { findStepBack } from './invariants/step-back.js';
import type { Mutant } from './mutant.js';
import type { Network } from './network.js';
import type { Permissions } from './permissions.js';
import type { WorldPlan } from './plan.js';
import { isLastingPoison } from './poison.js';
import { Random } from './random.js';
import type { ServerTruth } from './server-truth.js';
import type { Verdict } from './violation.js';
import type { VirtualTime } from './virtual-time.js';
import type { WireWatch } from './wire-watch.js';

export interface DeviceParts {
  readonly index: number;
  readonly clientId: string;
  readonly user: string;
  readonly seed: number;
  readonly world: WorldPlan;
  readonly time: VirtualTime;
  readonly network: Network;
  readonly verdict: Verdict;
  readonly mutant: Mutant | undefined;
  readonly permissions: Permissions;
  readonly wire: WireWatch;
  readonly truth: () => ServerTruth;
  readonly isFaulty: () => boolean;
  readonly log: (line: string) => void;
  /** Notes when a mutation was made, by the world's clock. */
  readonly onMade: (id: string, made: Moment) => void;
  /** The storage of the device, if this is another tab of it. */
  readonly disk?: Disk | undefined;
  /** The local data engine's database, if the device has one. */
  readonly place?: EnginePlace | undefined;
}

/** 300 ms: how early a mutant tells the user that something is durable. */
const EARLY_MS = 300;

export class Device {
  readonly name: string;
  readonly clientId: string;
  readonly disk: Disk;
  /** The user whose session its requests carry; for a while it may not be the one that the app believes. */
  user: string;
  aheadMs: number;
  plugin: SyncPlugin | undefined;
  readonly engine: DeviceEngine | undefined;
  /** The device of another user who uses the engine now. */
  guest: Device | undefined;
  readonly #parts: DeviceParts;
  #gate: Gate | undefined;
  #starts = 0;
  readonly #ids = new DeviceIds();
  #isOnline = true;
  #platform: DevicePlatform | undefined;
  /** Conflicts and dropped fields of which the application must have heard by now, by mutation id. */
  readonly #owed = new Set<string>();
  readonly #heard = new Set<string>();

  constructor(parts: DeviceParts) {
    this.#parts = parts;
    this.name = `device ${parts.index}`;
    this.user = parts.user;
    this.clientId = parts.clientId;
    this.disk = parts.disk ?? new Disk();
    this.aheadMs = parts.world.skewsMs[parts.index] ?? 0;
    this.engine = parts.place && this.#engineAt(parts.place);
  }

  /** The user to whom the device belongs. */
  get owner(): string {
    return this.#parts.user;
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  /** Starts the app over what is durable. */
  start(): void {
    if (this.plugin || this.guest) return;
    const { seed, world, time, isFaulty, log, mutant } = this.#parts;
    const { slowStorage: slow, failStorage: fail } = world.faults;
    const gate = new Gate({
      time,
      random: new Random(seed, this.name, ++this.#starts),
      faults: () => (isFaulty() ? { slow, fail } : { slow: 0, fail: 0 }),
      onCrash: () => this.crash(),
    });
    this.#gate = gate;
    this.#owed.clear();
    this.#platform = this.#newPlatform(gate);
    log(`${this.name}: starts`);
    this.plugin = new SyncPlugin({
      clientId: this.clientId,
      user: this.owner,
      platform: this.#platform,
      storage: gatedStorage(this.disk.storage, {
        gate,
        steps: mutant?.batch && ((batch) => mutant.batch?.(batch, this.disk.shadow) ?? [batch]),
        delay: mutant?.isToldEarly || mutant?.isSentEarly ? () => time.sleep(EARLY_MS) : undefined,
        onCommit: (batch) => this.#committed(batch),
        onKnown: (batch) => this.#known(batch),
      }),
      transport: {
        push: (request, options) => {
          if (gate.isDead) return never();
          this.#checkSent(request);
          return this.#parts.network.send({ kind: 'push', request, onNextPage: options?.onNextPage }, this);
        },
        pull: (request, options) =>
          gate.isDead
            ? never()
            : this.#parts.network.send({ kind: 'pull', request, onNextPage: options?.onNextPage }, this),
      },
      objects: configsOf(world, this.engine !== undefined),
      defaultConfig: { enabled: true },
      listeners: [
        {
          onConflict: (conflicts) => this.#hear(conflicts.map(({ clientMutation }) => clientMutation.id)),
          onDropped: (dropped) => this.#hear(dropped.map(({ mutation }) => mutation.id)),
          onSyncError: (error) => log(`${this.name}: ${error.message}`),
          onSyncComplete: () => this.engine?.caughtUp(),
        },
      ],
      onConflict: world.isMerging ? merge : undefined,
    });
    const { plugin } = this;
    if (!this.engine?.isOwn) {
      plugin.client.open().catch((error: unknown) => log(`${this.name}: cannot open, ${error}`));
      return;
    }
    this.engine.start(plugin, gate).catch((error: unknown) => {
      log(`${this.name}: cannot start, ${error}`);
      if (plugin === this.plugin) this.crash();
    });
  }

  /** Ends the app wherever it is. It soon starts again by itself. */
  crash(): void {
    if (!this.plugin) return;
    this.#parts.log(`${this.name}: crashes`);
    this.#gate?.kill();
    this.plugin = undefined;
    this.engine?.stop();
    this.#parts.time.after(500, () => this.start());
  }

  /** Cuts the power of the device, whose apps have crashed. */
  cutPower(share: number): Promise<void> {
    return this.disk.cutPower(share, { isTorn: this.#parts.mutant?.isTorn });
  }

  /** Lets the app crash at its nth next storage operation. */
  crashAt(operation: number, when: 'before' | 'after'): void {
    this.#gate?.arm(operation, when);
  }

  /** Nothing is armed any more; the app runs with its user's session, is online, and is not paused. */
  heal(): void {
    this.user = this.owner;
    this.comeBack();
    if (this.engine?.app?.hasEnded) this.crash();
    this.#gate?.disarm();
    this.start();
    this.setOnline(true);
    this.plugin?.client.resume();
  }

  /** Lends the engine to another user. */
  lendTo(guest: Device): void {
    this.guest = guest;
    this.crash();
    guest.start();
  }

  /** Takes the engine back; the guest goes on without it. */
  comeBack(): void {
    const { guest } = this;
    if (!guest) return;
    this.guest = undefined;
    if (guest.engine) guest.engine.isOwn = false;
    guest.crash();
    this.start();
  }

  /** Waits until a user's decision is recorded. */
  decide<T>(answer: Promise<T>): Promise<T> {
    return this.engine?.decide(answer) ?? answer;
  }

  /** Whether it receives other devices' changes of an object. */
  keeps(objectName: string): boolean {
    return !this.engine || objectName !== 'project' || this.#parts.world.engines?.projects !== 'push-only';
  }

  /** True for mutations that it made itself, or that the device it was cloned from had made by then. */
  hasLogged(id: string): boolean {
    return this.disk.logged.has(id);
  }

  setOnline(isOnline: boolean): void {
    if (this.#isOnline === isOnline) return;
    this.#isOnline = isOnline;
    this.#platform?.tellConnectivity(isOnline);
  }

  /** Notes a mutation that the user has just made. */
  made(id: string): void {
    this.#parts.onMade(id, this.#now());
  }

  /** Runs `make`, which makes a mutation at once, under an id that is in use already. */
  reuse(id: string, make: () => void): void {
    this.disk.reused.add(id);
    this.#ids.reuse(id, make);
  }

  /** Follows mutations from the moment when the user is told that they are durable. */
  async follow(ids: readonly string[]): Promise<void> {
    const { plugin } = this;
    const { told, decided } = this.disk;
    const isDurable = await plugin
      ?.getEngine('task')
      .flush()
      .then(
        () => true,
        () => false,
      );
    // The mutant that sends early tells nobody, or the user would be the first to notice.
    if (!isDurable || plugin !== this.plugin || this.#parts.mutant?.isSentEarly) return;
    for (const id of ids) if (!decided.has(id)) told.add(id);
    this.checkTold();
  }

  /** Pending mutations that never pass. */
  pendingPoison(): readonly string[] {
    const pending = [...(this.plugin?.client.log.pending ?? [])];
    return pending.flatMap(({ mutation: { id, data } }) => (isLastingPoison(data) ? [id] : []));
  }

  /** The user decided: the mutation need not be anywhere else any more. */
  forget(id: string): void {
    this.disk.told.delete(id);
    this.disk.decided.add(id);
  }

  /** Looks at the device from outside for anything that is broken by now. */
  check(): void {
    const { verdict } = this.#parts;
    for (const id of this.#owed) {
      if (!this.#heard.has(id)) verdict.report('I8', `${this.name} was not told of the conflict or loss of ${id}.`);
    }
    this.#owed.clear();
    this.#checkLiveness();
  }

  /** What the user was told is durable must be somewhere. */
  checkTold(): void {
    const { verdict, wire } = this.#parts;
    for (const id of this.disk.told) {
      if (this.disk.shadow.holds(id) || this.engine?.isWaiting(id)) continue;
      if (this.#wasApplied(id) || wire.metConflict(id)) this.disk.told.delete(id);
      else verdict.report('I1', `${this.name} has lost ${id}, which was durable.`);
    }
  }

  /** All durable records. */
  records(): Promise<readonly BaseRecord[]> {
    return this.disk.records();
  }

  /** A crash would lose mutations sent before they were durable, and the device would meet its own change. */
  #checkSent({ mutations }: SyncPushRequest): void {
    const early = mutations?.find(({ id }) => !this.hasLogged(id));
    if (early) this.#parts.verdict.report('I7', `${this.name} sent ${early.id} before it was durable.`);
  }

  #checkLiveness(): void {
    const { plugin } = this;
    if (!plugin || (this.#gate?.underWay ?? 0) > 0) return;
    const { state, pending } = plugin.client.status;
    const isStuck =
      (state === 'idle' && pending > 0) ||
      (state === 'offline' && this.#isOnline && pending > 0) ||
      ((state === 'syncing' || state === 'waiting') && this.#platform?.timers === 0) ||
      state === 'closed';
    if (isStuck) this.#parts.verdict.report('I13', `${this.name} is ${state} with ${pending} pending and no timer.`);
  }

  #committed(batch: StorageBatch): void {
    const { verdict, wire, truth, permissions } = this.#parts;
    const back = findStepBack(batch, this.disk.shadow);
    if (back) verdict.report('I5', `${this.name}: ${back}`);
    this.disk.committed(batch);
    this.engine?.committed(batch);
    for (const { mutation } of batch.putEntries ?? []) this.disk.logged.add(mutation.id);
    const lost = findLostMutation(batch, {
      wasApplied: (id) => this.#wasApplied(id),
      wasDecided: (id) => wire.metConflict(id) && !this.#isForTheUser(id),
    });
    if (lost) verdict.report('I1', `${this.name} dropped ${lost}, which the server did not take.`);
    if (batch.removeEntries?.length || batch.removeConflicts?.length || batch.removeDeadLetters?.length)
      this.checkTold();
    const overtaken = findOvertaken(batch, this.disk, truth());
    if (overtaken) verdict.report('I3', `${this.name}: ${overtaken} was refused as overtaken.`);
    for (const { code, id } of batch.putDeadLetters ?? [])
      if (code === 'INTERNAL' || code === 'BUSY') this.disk.setAside.add(id);
    if (batch.expectCheckpoint === undefined) return;
    const { owner } = this;
    const scope = readPlace(this.disk.shadow.meta?.checkpoint)?.scope ?? '';
    if (wire.grantsOf(`${owner} ${scope}`) !== permissions.scopeOf(owner)) return;
    const missed = findMissedChange(
      this.disk.shadow,
      truth(),
      ({ objectName, data }) => this.keeps(objectName) && permissions.mayRead(owner, objectName, data),
    );
    if (missed) verdict.report('I6', `${this.name}: ${missed}`);
  }

  /** The app knows that the batch is durable: it must now tell of mutations removed as a conflict or with a loss. */
  #known(batch: StorageBatch): void {
    const { wire, truth } = this.#parts;
    const dead = new Set(batch.putDeadLetters?.map(({ id }) => id));
    for (const id of batch.removeEntries ?? []) {
      // A mutation that was applied after all, on a restored server, is no longer a conflict.
      const isLost = wire.metConflict(id) && !this.#wasApplied(id);
      if ((isLost || truth().dropped.has(id)) && !dead.has(id)) this.#owed.add(id);
    }
  }

  /** True when the server applied this device's mutation of that id, whatever happened to the server since. */
  #wasApplied(id: string): boolean {
    return this.#parts.truth().everApplied.has(id) && !this.disk.reused.has(id);
  }

  /** True when only the user may decide a conflict of this mutation. */
  #isForTheUser(id: string): boolean {
    const { world, wire } = this.#parts;
    const object = OBJECT_NAMES.find((name) => name === wire.said(id)?.objectName);
    if (!object || world.isMerging) return false;
    const { strategy, conflictFields } = world.objects[object];
    return strategy === 'manual' && conflictFields === null;
  }

  #hear(ids: readonly string[]): void {
    for (const id of ids) this.#heard.add(id);
  }

  #engineAt(place: EnginePlace): DeviceEngine {
    return new DeviceEngine({
      ...this.#parts,
      name: this.name,
      disk: this.disk,
      place,
      keeps: (objectName) => this.keeps(objectName),
      onNoted: (id) => {
        this.#parts.onMade(id, this.#ids.bornAt(id) ?? this.#now());
        if (!this.disk.decided.has(id)) this.disk.told.add(id);
      },
      onChanged: () => this.checkTold(),
    });
  }

  #now(): Moment {
    return { at: this.#parts.time.now(), aheadMs: this.aheadMs };
  }

  #newPlatform(gate: Gate): DevicePlatform {
    const { time, index, seed, mutant } = this.#parts;
    const start = this.#starts;
    return new DevicePlatform({
      time,
      gate,
      random: new Random(seed, 'jitter', index, start),
      aheadMs: () => this.aheadMs,
      newId: () => this.#ids.next(`device${index}-start${start}`, this.#now()),
      isOnline: () => this.#isOnline,
      isWithoutTimers: mutant?.isWithoutTimers === true,
    });
  }
}

const merge = ({ serverRecord, clientMutation }: SyncConflict) =>
  serverRecord ? { ...serverRecord, ...clientMutation.data } : undefined;
