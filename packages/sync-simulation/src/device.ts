/** One device: an app that can crash at any moment over a storage that stays. */
import type { BaseRecord, SyncPlugin } from '@objectql/plugin-sync';
import { DeviceIds, type Moment } from './device-ids.js';
import { DeviceProcess, type Untold } from './device-process.js';
import { DeviceWatch } from './device-watch.js';
import { Disk } from './disk.js';
import { DeviceEngine } from './engine/device-engine.js';
import type { EnginePlace } from './engine/engine-place.js';
import { findDisorder } from './invariants/disorder.js';
import type { Mutant } from './mutants/mutant.js';
import type { Network } from './network.js';
import type { Permissions } from './permissions.js';
import type { StreamWay, TabStandstill, WorldPlan } from './plan.js';
import { isLastingPoison } from './poison.js';
import type { ServerTruth } from './server-truth.js';
import { EXPIRED } from './stream-endpoint.js';
import type { StreamNetwork } from './stream-network.js';
import type { Browser } from './tabs/browser.js';
import type { TabApp } from './tabs/tab-app.js';
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
  readonly streamNetwork: StreamNetwork;
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
  /** What is in the way of its live streams; `undefined` if it has no live updates. */
  readonly way?: StreamWay | undefined;
  /** The local data engine's database, if the device has one. */
  readonly place?: EnginePlace | undefined;
  /** The browser, if this is a tab that knows of others. */
  readonly browser?: Browser | undefined;
}

/** 500 ms: how soon an app starts again that has crashed. */
const RESTART_MS = 500;

export class Device {
  readonly name: string;
  readonly clientId: string;
  readonly disk: Disk;
  /** The user whose session its requests carry; for a while it may not be the one that the app believes. */
  user: string;
  aheadMs: number;
  /** False when its user's session has expired. */
  isSignedIn = true;
  /** How many pushes and pulls, and requests for streams, it has sent. */
  readonly sent = { requests: 0, streams: 0 };
  readonly engine: DeviceEngine | undefined;
  /** The device of another user who uses the engine now. */
  guest: Device | undefined;
  readonly #parts: DeviceParts;
  readonly #watch: DeviceWatch;
  /** The last process: it may have crashed. */
  #process: DeviceProcess | undefined;
  #starts = 0;
  #restartMs = RESTART_MS;
  readonly #ids = new DeviceIds();
  #isOnline = true;
  #isSeen = true;

  constructor(parts: DeviceParts) {
    this.#parts = parts;
    this.name = `device ${parts.index}`;
    this.user = parts.user;
    this.clientId = parts.clientId;
    this.disk = parts.disk ?? new Disk();
    this.aheadMs = parts.world.skewsMs[parts.index] ?? 0;
    const { name, disk, owner } = this;
    const keeps = (objectName: string) => this.keeps(objectName);
    this.#watch = new DeviceWatch({ ...parts, name, owner, disk, keeps, engine: () => this.engine });
    this.engine = parts.place && this.#engineAt(parts.place);
  }

  /** The user to whom the device belongs. */
  get owner(): string {
    return this.#parts.user;
  }

  get browser(): Browser | undefined {
    return this.#parts.browser;
  }

  /** The client of the process that is running. */
  get plugin(): SyncPlugin | undefined {
    return this.#process?.tab?.isStill ? undefined : this.#alive?.plugin;
  }

  /** What the user sees and waits for, if this is a tab that is running. */
  get app(): TabApp | undefined {
    return this.plugin && this.#process?.app;
  }

  /** Whether it is a tab that holds the lock of those who lead. */
  get isLeading(): boolean {
    return this.#alive?.tab?.isHolding === true;
  }

  /** Whether it is a tab of an older version of the app, which does not understand the others. */
  get isOlder(): boolean {
    return this.#alive?.tab?.isOlder === true;
  }

  get #alive(): DeviceProcess | undefined {
    return this.#process?.gate.isDead ? undefined : this.#process;
  }

  /** How often its app has started. */
  get starts(): number {
    return this.#starts;
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  /** What is in the way of its live streams; `undefined` if it has no live updates. */
  get way(): StreamWay | undefined {
    return this.#parts.way;
  }

  /** Starts the app over what is durable. */
  start(): void {
    if (this.#alive || this.guest) return;
    const { log } = this.#parts;
    this.#watch.begin();
    log(`${this.name}: starts`);
    const process = this.#newProcess(++this.#starts);
    const { plugin, gate } = process;
    this.#process = process;
    if (!this.engine?.isOwn) {
      plugin.client.open().catch((error: unknown) => log(`${this.name}: cannot open, ${error}`));
      return;
    }
    this.engine.start(plugin, gate).catch((error: unknown) => {
      log(`${this.name}: cannot start, ${error}`);
      if (plugin === this.plugin) this.crash();
    });
  }

  /** Ends the app wherever it is. It starts again by itself. */
  crash(forMs = RESTART_MS): void {
    if (!this.#alive) return;
    this.#parts.log(`${this.name}: crashes`);
    this.checkOrder();
    this.#process?.kill();
    this.engine?.stop();
    this.#parts.time.after(forMs, () => this.start());
  }

  /** Lets nothing go on in a tab. */
  stop(how: TabStandstill): void {
    this.#alive?.tab?.stop(how);
  }

  /** Lets a tab go on that was stopped. */
  goOn(): void {
    this.#alive?.tab?.goOn();
  }

  /** Tells a tab that what it stores has been deleted in another one. */
  tellLost(): void {
    this.#process?.tellLost();
  }

  /** Cuts the power of the device, whose apps have crashed. */
  cutPower(share: number): Promise<void> {
    return this.disk.cutPower(share, { isTorn: this.#parts.mutant?.isTorn });
  }

  /** Closes the app for good. */
  async close(): Promise<void> {
    const { plugin } = this;
    this.#process = undefined;
    await plugin?.close();
  }

  /** Lets the app crash at its nth next storage operation, and start again after a while. */
  crashAt(operation: number, when: 'before' | 'after', forMs = RESTART_MS): void {
    this.#restartMs = forMs;
    this.#process?.gate.arm(operation, when);
  }

  /** Lets all storage operations fail, or no longer. */
  setFailing(isFailing: boolean): void {
    this.#process?.gate.setFailing(isFailing);
  }

  /** Lets a tab not hear that its next write is stored. */
  untellNext(how: Untold): void {
    this.#process?.untellNext(how);
  }

  /** Lets it crash no more. */
  disarm(): void {
    this.#process?.gate.disarm();
  }

  /** Nothing is armed any more; the app runs with its user's session, is online, and is not paused. */
  heal(): void {
    this.user = this.owner;
    this.isSignedIn = true;
    this.comeBack();
    if (this.engine?.app?.hasEnded) this.crash();
    this.disarm();
    this.goOn();
    this.start();
    this.setOnline(true);
    this.setSeen(true);
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
    this.#process?.tellConnectivity(isOnline);
  }

  setSeen(isSeen: boolean): void {
    if (this.#isSeen === isSeen) return;
    this.#isSeen = isSeen;
    // As platforms do: whoever looks at the app wants to see what is new.
    if (isSeen) this.#process?.tellConnectivity(this.#isOnline);
    if (isSeen) this.#process?.tab?.runSlowTimers();
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
    this.#watch.checkTold();
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
    this.#watch.checkHeard();
    if (!this.plugin) return;
    const standstill = this.#process?.findStandstill();
    if (standstill) this.#parts.verdict.report('I13', standstill);
    const falseLive = this.#process?.findFalseLive();
    if (falseLive) this.#parts.verdict.report('live', falseLive);
  }

  /** Looks whether what the user has changed in one tab has kept its order. */
  checkOrder(): void {
    const { made = [] } = this.#process?.app ?? {};
    // In the order in which they got their ids: who made several at once may learn of them in another one.
    const wrong = findDisorder([...made].sort(), this.disk.firstSequenceById);
    if (wrong) this.#parts.verdict.report('I3', `${this.name}: ${wrong}`);
  }

  /** All durable records. */
  records(): Promise<readonly BaseRecord[]> {
    return this.disk.records();
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
      onChanged: () => this.#watch.checkTold(),
    });
  }

  #now(): Moment {
    return { at: this.#parts.time.now(), aheadMs: this.aheadMs };
  }

  #newProcess(start: number): DeviceProcess {
    const { name, clientId, owner, disk } = this;
    return new DeviceProcess({
      ...this.#parts,
      name,
      clientId,
      owner,
      disk,
      browser: this.browser,
      hasEngine: this.engine !== undefined,
      start,
      watch: this.#watch,
      aheadMs: () => this.aheadMs,
      isOnline: () => this.#isOnline,
      isSeen: () => this.#isSeen,
      newId: () => this.#ids.next(`device${this.#parts.index}-start${start}`, this.#now()),
      send: (message) => {
        this.sent.requests += 1;
        return this.#parts.network.send(message, this);
      },
      fetchStream: (...request) => {
        this.sent.streams += 1;
        return this.#parts.streamNetwork.fetch(...request);
      },
      token: () => (this.isSignedIn ? this.user : EXPIRED),
      onCrash: () => this.crash(this.#restartMs),
      onSynced: () => this.engine?.caughtUp(),
    });
  }
}
