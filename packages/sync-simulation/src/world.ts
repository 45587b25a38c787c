/** Everything that a schedule takes place in: devices, a network and a server, in virtual time. */
import { deliver } from './deliver.js';
import { Device } from './device.js';
import { Disk, OBJECT_NAMES } from './disk.js';
import { engineObjects } from './engine/engine-objects.js';
import { EnginePlace } from './engine/engine-place.js';
import { dependencesOn } from './engine/engine-rules.js';
import type { Mutant } from './mutants/mutant.js';
import { isAnnounced, Network } from './network.js';
import { Permissions } from './permissions.js';
import type { EnginePlan, Plan, StreamWay } from './plan.js';
import { endOfTurn } from './platform/turn.js';
import { isOfLostFeed, RecordHistory } from './record-history.js';
import { ServerHost } from './server-host.js';
import { ServerTruth } from './server-truth.js';
import { StreamNetwork } from './stream-network.js';
import { StreamWatch } from './stream-watch.js';
import { Browser } from './tabs/browser.js';
import { Verdict } from './violation.js';
import { BEGINNING, VirtualTime } from './virtual-time.js';
import { WireWatch } from './wire-watch.js';

export interface RunOptions {
  readonly mutant?: Mutant | undefined;
  /** True to keep the trace; it costs time. */
  readonly isTraced?: boolean;
}

/** Far above what any schedule needs: a schedule with more is in an endless loop. */
const MAX_EVENTS = 400_000;
/** Tabs ask every 1.5 s whether their leader is there, and all hear each question and answer. */
const MAX_EVENTS_OF_TABS = 10 * MAX_EVENTS;

export class World {
  readonly time = new VirtualTime();
  readonly verdict = new Verdict();
  readonly trace: string[] = [];
  readonly devices: Device[] = [];
  readonly permissions: Permissions;
  readonly host: ServerHost;
  readonly wire: WireWatch;
  readonly plan: Plan;
  readonly #options: RunOptions;
  readonly #network: Network;
  /** The live streams of all devices. */
  readonly streams: StreamNetwork;
  readonly #backups = new Map<Disk, Disk>();
  readonly #madeById = new Map<string, { readonly at: number; readonly aheadMs: number }>();
  #isFaulty = true;
  #browsers = 0;
  readonly #history = new RecordHistory();
  /** False once something happened that a device may notice by itself: a prune, or a limit on what is remembered. */
  isUndisturbed = true;
  events = 0;

  constructor(plan: Plan, options: RunOptions) {
    this.plan = plan;
    this.#options = options;
    const { seed, world } = plan;
    const { mutant } = options;
    this.permissions = new Permissions(world.isAuthorized, world.hiddenFields);
    const log = (line: string) => this.log(line);
    const logLine = (line: () => string) => {
      if (options.isTraced) this.log(line());
    };
    const isFaulty = () => this.#isFaulty;
    this.wire = new WireWatch({
      verdict: this.verdict,
      permissions: this.permissions,
      now: () => this.time.now(),
      truth: () => this.host.truth,
      madeAt: (id) => this.#madeById.get(id),
      isAlone: () => world.devices === 1 && !world.tabs && this.isUndisturbed,
      isReused: (id) => this.devices.some(({ disk }) => disk.reused.has(id)),
    });
    this.host = new ServerHost({
      seed,
      time: this.time,
      world,
      mutant,
      permissions: this.permissions,
      isFaulty,
      log,
      newTruth: () => this.#newTruth(),
    });
    this.#network = new Network({
      seed,
      time: this.time,
      faults: () => (this.#isFaulty ? world.faults : undefined),
      isErrorAnswered: world.isErrorAnswered,
      line: () => this.host.truth.line,
      isAnnounced: options.mutant?.isAnnounced ?? isAnnounced,
      log: logLine,
      deliver: (kind, sent) => deliver(kind, sent, { wire: this.wire, host: this.host, mutant }),
    });
    this.streams = new StreamNetwork({
      seed,
      time: this.time,
      faults: () => (this.#isFaulty ? world.faults : undefined),
      streamFaults: () => (this.#isFaulty ? world.live : undefined),
      serve: (request) => this.host.stream(request),
      watch: new StreamWatch({
        verdict: this.verdict,
        now: () => this.time.now(),
        truth: () => this.host.truth,
      }),
      isKept: mutant?.isStreamKept === true,
      log: logLine,
    });
    for (let index = 0; index < world.devices; index++) {
      const place = world.engines?.devices.includes(index) ? this.#newPlace() : undefined;
      if (world.engines?.isOlder) place?.fill(`u${index}`);
      const browser = world.tabs?.counts[index] ? this.newBrowser() : undefined;
      this.addDevice(`client-${index}`, this.userOf(index), { place, browser });
    }
    for (const [index, device] of [...this.devices].entries()) {
      const further = (world.tabs?.counts[index] ?? 0) - 1;
      for (let tab = 0; tab < further; tab++) this.addTab(device);
    }
  }

  /** A browser without tabs; `undefined` in a schedule without any. */
  newBrowser(): Browser | undefined {
    const { seed, world } = this.plan;
    if (!world.tabs) return undefined;
    return new Browser({
      seed,
      index: this.#browsers++,
      time: this.time,
      faults: () => (this.#isFaulty ? world.tabs : undefined),
      mutant: this.#options.mutant,
      log: (line) => {
        if (this.#options.isTraced) this.log(line());
      },
    });
  }

  /** Another tab of the same browser, or another process on the same storage that knows of no other. */
  addTab(device: Device): Device {
    const { clientId, owner, disk, browser } = device;
    // What is between a browser and the server, all its tabs have in common.
    const tab = this.addDevice(clientId, owner, { disk, browser, ...(browser && { way: device.way }) });
    // Without a browser, the tests of one revision after another have had it so.
    if (!browser) return tab;
    tab.aheadMs = device.aheadMs;
    tab.user = device.user;
    tab.isSignedIn = device.isSignedIn;
    tab.setOnline(device.isOnline);
    return tab;
  }

  /** The tabs of a device that is a browser, or the device alone. */
  tabsOf(device: Device): readonly Device[] {
    return device.browser ? this.devices.filter(({ browser }) => browser === device.browser) : [device];
  }

  /** How many requests, copies included, have not reached the server yet. */
  get messagesUnderWay(): number {
    return this.#network.underWay;
  }

  /** How many mutations users have made. */
  get mutations(): number {
    return this.#madeById.size;
  }

  /** The device that an action means. */
  device(index: number): Device {
    const device = this.devices[index % this.devices.length];
    if (!device) throw new Error('A world has a device at least.');
    return device;
  }

  userOf(index: number): string {
    return `u${index === 1 && this.plan.world.isFirstUserShared ? 0 : index}`;
  }

  addDevice(
    clientId: string,
    user: string,
    shared: {
      readonly disk?: Disk;
      readonly place?: EnginePlace | undefined;
      readonly browser?: Browser | undefined;
      readonly way?: StreamWay | undefined;
    } = {},
  ): Device {
    const index = this.devices.length;
    const device = new Device({
      index,
      clientId,
      user,
      way: this.plan.world.live?.ways[index] ?? undefined,
      ...shared,
      seed: this.plan.seed,
      world: this.plan.world,
      time: this.time,
      network: this.#network,
      streamNetwork: this.streams,
      verdict: this.verdict,
      mutant: this.#options.mutant,
      permissions: this.permissions,
      wire: this.wire,
      truth: () => this.host.truth,
      isFaulty: () => this.#isFaulty,
      log: (line) => this.log(line),
      onMade: (id, made) => this.#madeById.set(id, made),
    });
    this.devices.push(device);
    return device;
  }

  /** Changes durable data while no app of the device runs; the apps start again by themselves. */
  async withoutApps(disk: Disk, change: (disk: Disk) => Promise<void> | void): Promise<void> {
    for (const device of this.devices) if (device.disk === disk) device.crash();
    await change(disk);
  }

  /** Keeps a copy of a device's durable data. */
  async backUp(disk: Disk): Promise<void> {
    const copy = new Disk();
    this.#backups.set(disk, copy);
    await copy.copyFrom(disk);
  }

  /** Restores the last backup of a device, if there is one. */
  async fallBack(disk: Disk): Promise<void> {
    const backup = this.#backups.get(disk);
    if (backup) await disk.copyFrom(backup);
  }

  log(line: string): void {
    if (this.#options.isTraced) this.trace.push(`${((this.time.now() - BEGINNING) / 1000).toFixed(3)} s  ${line}`);
  }

  /** Nothing more goes wrong, and what is down comes back. */
  endFaults(): void {
    this.#isFaulty = false;
    this.log('faults are over');
    this.host.heal();
    for (const device of this.devices) device.heal();
  }

  /** Lets time pass, event by event, until something is broken. */
  async runFor(ms: number): Promise<void> {
    const until = this.time.now() + ms;
    await endOfTurn();
    while (!this.verdict.first && (await this.time.step(until))) {
      this.check();
      if (++this.events > (this.plan.world.tabs ? MAX_EVENTS_OF_TABS : MAX_EVENTS))
        throw new Error('The schedule does not end.');
    }
    this.time.moveTo(until);
  }

  /** Looks at all devices for anything that is broken by now. */
  check(): void {
    for (const device of this.devices) device.check();
  }

  #newPlace(): EnginePlace {
    return new EnginePlace({
      verdict: this.verdict,
      isOfLostFeed: (before, now) => isOfLostFeed(before, now, this.host.truth),
      statesOf: (name, version, meta) => this.#history.statesOf({ name, version }, { meta, truth: this.host.truth }),
    });
  }

  /** The server deletes or changes what belonged to a deleted record, as a hook of its application. */
  #cascade(name: string, plan: EnginePlan): void {
    const { records } = this.host.truth;
    if (records.get(name)?.data) return;
    const [parentObject = '', parentId] = name.split('/');
    for (const { objectName, field, behavior } of dependencesOn(engineObjects(plan), parentObject)) {
      const children = [...records.values()].filter(
        (one) => one.objectName === objectName && one.data?.[field] === parentId,
      );
      for (const { recordId } of behavior === 'restrict' ? [] : children) {
        this.isUndisturbed = false;
        const operation = behavior === 'cascade' ? 'delete' : 'update';
        void this.host.writePastSync({ objectName, recordId, operation, data: { [field]: null } });
      }
    }
  }

  #newTruth(): ServerTruth {
    const { objects } = this.plan.world;
    return new ServerTruth({
      verdict: this.verdict,
      objectOf: (name) => OBJECT_NAMES.filter((known) => known === name).map((known) => objects[known])[0],
      saidBy: (id) => this.wire.said(id),
      onState: (name, record) => {
        this.wire.committed(name, record);
        const { engines } = this.plan.world;
        if (engines) this.#history.take(name, record, this.host.truth.line);
        if (engines?.isServerCascading && record.data === null) this.time.after(0, () => this.#cascade(name, engines));
      },
      baseOf: (id, line) => this.wire.baseOf(id, line),
      carrierOf: (id) => this.wire.carrierOf(id),
      isOfOneDevice: (id, other) => {
        const sender = this.wire.carrierOf(id)?.sender;
        return this.devices.some((device) => device.name === sender && device.hasLogged(other));
      },
      isForbidden: (said) => this.permissions.isForbidden(said),
      wasSetAside: (id) => this.devices.some(({ disk }) => disk.setAside.has(id)),
      latestTimeOf: (logId) => this.wire.latestTimeOf(logId),
      now: () => this.time.now(),
    });
  }
}
