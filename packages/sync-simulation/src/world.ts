/** One schedule, from its first action until everything must have settled. */
import type { JsonObject } from '@objectql/sync-types';
import { Device } from './device.js';
import { Disk, OBJECT_NAMES } from './disk.js';
import { findEngineDifference } from './engine/engine-difference.js';
import { EnginePlace } from './engine/engine-place.js';
import { readPlace } from './invariants/checkpoint.js';
import { findDifference } from './invariants/convergence.js';
import type { Mutant } from './mutant.js';
import { isAnnounced, Network } from './network.js';
import { perform } from './perform.js';
import { Permissions } from './permissions.js';
import type { Plan } from './plan.js';
import { endOfTurn } from './platform/turn.js';
import { Random } from './random.js';
import { ServerHost } from './server-host.js';
import { ServerTruth } from './server-truth.js';
import { Verdict, type Violation } from './violation.js';
import { BEGINNING, VirtualTime } from './virtual-time.js';
import { WireWatch } from './wire-watch.js';

export interface RunOptions {
  readonly mutant?: Mutant | undefined;
  /** True to keep the trace; it costs time. */
  readonly isTraced?: boolean;
}

/** The result of a schedule. */
export interface Outcome {
  readonly violation: Violation | undefined;
  readonly trace: readonly string[];
  /** Mutations that users made. */
  readonly mutations: number;
  readonly events: number;
}

/** 3 minutes: several tries, including their delays. */
const TAIL_MS = 180_000;
/** 90 s for each round of the time in which everything must settle: a held record waits at most a minute. */
const ROUND_MS = 90_000;
/** 40 rounds, an hour: automatic resolutions, retries and walks of all devices, one after another, end long before. */
const MAX_ROUNDS = 40;
/**
 * 10 more rounds for each mutation that never passes: it is set aside at its 10th failure after which something else
 * passed, which happens once a round, and later mutations of its record wait until then.
 */
const ROUNDS_FOR_POISON = 10;
/** 1 round in which users insist on their changes; then they give in, or two of them would go on for ever. */
const INSISTENT_ROUNDS = 1;
/** 10 minutes: copies may take an hour, which is six such steps. */
const LATE_MS = 600_000;
/** Far above what any schedule needs: a schedule with more is in an endless loop. */
const MAX_EVENTS = 400_000;

/** Runs a schedule. The same plan gives the same outcome, event by event. */
export async function runPlan(plan: Plan, options: RunOptions = {}): Promise<Outcome> {
  const world = new World(plan, options);
  try {
    await world.run();
  } catch (error) {
    world.verdict.report('crash', error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  return { violation: world.verdict.first, trace: world.trace, mutations: world.mutations, events: world.events };
}

/** Everything that a schedule takes place in. */
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
  readonly #backups = new Map<Disk, Disk>();
  readonly #madeById = new Map<string, { readonly at: number; readonly aheadMs: number }>();
  #isFaulty = true;
  #engineDifference: string | undefined;
  readonly #states = new Map<string, { readonly line: string; readonly data: JsonObject | null }[]>();
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
    const isFaulty = () => this.#isFaulty;
    this.wire = new WireWatch({
      verdict: this.verdict,
      permissions: this.permissions,
      now: () => this.time.now(),
      truth: () => this.host.truth,
      madeAt: (id) => this.#madeById.get(id),
      isAlone: () => world.devices === 1 && this.isUndisturbed,
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
      log: (line) => {
        if (options.isTraced) this.log(line());
      },
      deliver: (kind, sent) => this.#deliver(kind, sent),
    });
    for (let index = 0; index < world.devices; index++) {
      const place = world.engines?.devices.includes(index) ? this.#newPlace() : undefined;
      this.addDevice(`client-${index}`, this.userOf(index), { place });
    }
  }

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
    shared: { readonly disk?: Disk; readonly place?: EnginePlace | undefined } = {},
  ): Device {
    const device = new Device({
      index: this.devices.length,
      clientId,
      user,
      ...shared,
      seed: this.plan.seed,
      world: this.plan.world,
      time: this.time,
      network: this.#network,
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

  async run(): Promise<void> {
    for (const device of this.devices) device.start();
    for (const action of this.plan.actions) {
      await this.#runFor(action.afterMs);
      if (this.verdict.first) return;
      if (this.#options.isTraced) this.log(`· ${JSON.stringify(action)}`);
      await perform(action, this);
      await endOfTurn();
      this.#check();
    }
    // The last changes must be sent under faults as well.
    await this.#runFor(new Random(this.plan.seed, 'tail').between(0, TAIL_MS));
    if (!this.verdict.first) await this.#settle();
  }

  /** The second half: no more faults, and everything must come to rest and agree. */
  async #settle(): Promise<void> {
    this.#isFaulty = false;
    this.log('faults are over');
    this.host.heal();
    for (const device of this.devices) device.heal();
    // Late copies belong to the faults: their changes must be settled as well.
    while (this.#network.underWay > 0 && !this.verdict.first) await this.#runFor(LATE_MS);
    const poison = new Set<string>();
    let rounds = MAX_ROUNDS;
    for (let round = 0; round < rounds; round++) {
      for (const device of this.devices) {
        device.heal();
        for (const id of device.pendingPoison()) poison.add(id);
        // Users go on working: a mutation that keeps failing is set aside when other changes pass it.
        if (round > 0 && device.plugin && device.plugin.client.status.pending > 0) goOnWorking(device, round);
        void device.plugin?.syncAll();
      }
      await this.#runFor(ROUND_MS);
      if (this.verdict.first) return;
      if (await this.#isAtRest(round)) return;
      rounds = MAX_ROUNDS + ROUNDS_FOR_POISON * poison.size;
    }
    const left = this.devices.map(({ name, plugin }) => `${name}: ${JSON.stringify(plugin?.client.status)}`);
    if (this.#engineDifference) this.verdict.report('I4', this.#engineDifference);
    this.verdict.report('I13', `Not settled after ${rounds} rounds without faults. ${left.join('; ')}`);
  }

  /** Whether everything has settled and agrees; where users have to decide, they do. */
  async #isAtRest(round: number): Promise<boolean> {
    let isWaiting = false;
    for (const device of this.devices) {
      const { plugin } = device;
      if (!plugin) return false;
      const { client } = plugin;
      for (const { id } of client.conflicts.list()) {
        isWaiting = true;
        device.forget(id);
        const resolved = client.conflicts.resolve(id, round < INSISTENT_ROUNDS ? 'mine' : 'theirs');
        await device.decide(resolved).catch(() => {});
      }
      for (const { id } of client.deadLetters.list()) {
        isWaiting = true;
        device.forget(id);
        const answered = round < INSISTENT_ROUNDS ? client.deadLetters.retry(id) : client.deadLetters.discard(id);
        await device.decide<unknown>(answered).catch(() => {});
      }
      if (client.status.pending > 0 || client.status.state === 'syncing') isWaiting = true;
      if (device.engine?.app && device.engine.place.unrecorded(device.owner).length > 0) isWaiting = true;
    }
    if (isWaiting) return false;
    // One more round for what the last of them has sent.
    for (const device of this.devices) void device.plugin?.syncAll();
    await this.#runFor(ROUND_MS);
    const difference = await findDifference(this.devices, this.host, this.permissions);
    if (difference) this.verdict.report(difference.invariant, difference.message);
    // What an engine could not take is tried again within a minute.
    this.#engineDifference = difference ? undefined : this.#findEngineDifference();
    return !this.#engineDifference;
  }

  #findEngineDifference(): string | undefined {
    for (const device of this.devices) {
      const { engine, owner, name } = device;
      if (!engine?.app) continue;
      const different = findEngineDifference(engine.place, this.host.truth, ({ objectName }, data) =>
        device.keeps(objectName) ? this.permissions.viewOf(owner, objectName, data) : undefined,
      );
      if (different) return `${name}: ${different}`;
    }
    return undefined;
  }

  async #runFor(ms: number): Promise<void> {
    const until = this.time.now() + ms;
    await endOfTurn();
    while (!this.verdict.first && (await this.time.step(until))) {
      this.#check();
      if (++this.events > MAX_EVENTS) throw new Error('The schedule does not end.');
    }
    this.time.moveTo(until);
  }

  #check(): void {
    for (const device of this.devices) device.check();
  }

  async #deliver(kind: 'push' | 'pull', sent: Parameters<WireWatch['request']>[0]) {
    const { mutant } = this.#options;
    const open = this.wire.request(sent);
    const { host } = this;
    const { floor, line } = host.truth;
    const body = mutant?.request ? mutant.request(sent.body, host.truth) : sent.body;
    const user = mutant?.principal ? mutant.principal(sent.user, body, host.truth) : sent.user;
    const handled = await (mutant?.isSplitting && kind === 'push' && body.mutations.length > 1
      ? this.#handleSplit(body, user)
      : host.handle(kind, body, user));
    const answer = mutant?.answer && 'results' in handled ? mutant.answer(handled, host.truth) : handled;
    this.wire.answer(sent, answer, { open, floorBefore: line === host.truth.line ? floor : 0 });
    return answer;
  }

  async #handleSplit(body: Parameters<WireWatch['request']>[0]['body'], user: string) {
    const results = [];
    for (const mutation of body.mutations.slice(0, -1)) {
      const answer = await this.host.handle('push', { ...body, mutations: [mutation], pull: false }, user);
      if (!('results' in answer)) return answer;
      results.push(...answer.results);
    }
    const last = await this.host.handle('push', { ...body, mutations: body.mutations.slice(-1) }, user);
    return 'results' in last ? { ...last, results: [...results, ...last.results] } : last;
  }

  #newPlace(): EnginePlace {
    return new EnginePlace({
      verdict: this.verdict,
      statesOf: (name, version, meta) => {
        const states = this.#states.get(`${name} ${version}`) ?? [];
        const at = readPlace(meta?.checkpoint);
        const { truth } = this.host;
        const isOfThisLine = at && !meta?.walk && truth.isOfThisFeed(at);
        return states.flatMap(({ line, data }) => (isOfThisLine && line !== truth.line ? [] : [data]));
      },
    });
  }

  #newTruth(): ServerTruth {
    const { objects } = this.plan.world;
    return new ServerTruth({
      verdict: this.verdict,
      objectOf: (name) => OBJECT_NAMES.filter((known) => known === name).map((known) => objects[known])[0],
      saidBy: (id) => this.wire.said(id),
      onState: (name, record) => {
        this.wire.committed(name, record);
        const key = `${name} ${record.version}`;
        const state = { line: this.host.truth.line, data: record.data };
        if (this.plan.world.engines) this.#states.set(key, [...(this.#states.get(key) ?? []), state]);
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

/** A change that nobody else makes and nothing refuses. */
function goOnWorking(device: Device, round: number): void {
  const recordId = `diary of ${device.name}, round ${round}`;
  const { app } = device.engine ?? {};
  if (app) app.engine.asApp(() => app.engine.insert('note', { id: recordId }, { context: {} })).catch(() => {});
  else device.plugin?.getEngine('note').records.create(recordId, {});
}
