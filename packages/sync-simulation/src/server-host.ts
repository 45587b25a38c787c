/** The machines of the server: processes start and crash, while the one store stays, but is sometimes restored. */
import {
  type LedgerRow,
  MemoryStore,
  type RecordResolver,
  SyncHandler,
  type SyncHandlerOptions,
  type SyncStore,
} from '@objectql/protocol-sync';
import type { JsonObject, RecordId, SyncConfig, SyncErrorBody, SyncPushResponse } from '@objectql/sync-types';
import { AppDatabase } from './app-database.js';
import { appResolver } from './app-resolver.js';
import { type Change, restoreStore } from './backups.js';
import { Gate } from './gate.js';
import { type GatedStoreParts, gatedStore } from './gated-store.js';
import type { Mutant } from './mutants/mutant.js';
import type { Permissions } from './permissions.js';
import type { WorldPlan } from './plan.js';
import { isLastingPoison } from './poison.js';
import { Random } from './random.js';
import { nameOf } from './record-name.js';
import { ServerProcess } from './server-process.js';
import type { ServerTruth } from './server-truth.js';
import { streamEndpoint } from './stream-endpoint.js';
import type { Served } from './stream-network.js';
import type { VirtualTime } from './virtual-time.js';

export interface ServerHostParts {
  readonly seed: number;
  readonly time: VirtualTime;
  readonly world: WorldPlan;
  readonly mutant: Mutant | undefined;
  readonly permissions: Permissions;
  readonly newTruth: () => ServerTruth;
  /** False once the faults are over. */
  readonly isFaulty: () => boolean;
  readonly log: (line: string) => void;
}

/** A write that comes past sync. */
export interface PastSync {
  readonly objectName: string;
  readonly recordId: RecordId;
  readonly operation: 'update' | 'delete';
  readonly data: JsonObject;
}

const DAY_MS = 86_400_000;
const FIRST_EPOCH = 'epoch-1';

export class ServerHost {
  readonly app = new AppDatabase();
  truth: ServerTruth;
  store: MemoryStore;
  readonly #parts: ServerHostParts;
  readonly #platform: NonNullable<SyncHandlerOptions['platform']>;
  readonly #history: Change[] = [];
  readonly #processes: readonly ServerProcess[];
  readonly #balance: Random;
  /** Its own, so that streams do not change which process handles a request. */
  readonly #streamBalance: Random;
  readonly #restores: Random;
  #limits: { readonly maxPageRecords: number; readonly maxMutations: number };
  #gates = 0;
  #turns = 0;
  #epochs = 0;
  #lines = 0;
  #ids = 0;
  #isRestoring = false;
  readonly #poisonedSince = new Map<string, number>();

  constructor(parts: ServerHostParts) {
    this.#parts = parts;
    this.#platform = {
      now: () => parts.time.now() + (parts.mutant?.serverAheadMs ?? 0),
      randomId: () => `id-${++this.#ids}`,
      setTimer: (work, delayMs) => parts.time.after(delayMs, work),
    };
    const { pageRecords, maxMutations, servers = 1 } = parts.world;
    this.#limits = { maxPageRecords: pageRecords, maxMutations };
    this.truth = parts.newTruth();
    this.store = new MemoryStore({ platform: { randomId: () => this.#newEpoch() } });
    this.truth.beginFeed(FIRST_EPOCH);
    this.#restores = new Random(parts.seed, 'restores');
    this.#balance = new Random(parts.seed, 'balance');
    this.#streamBalance = new Random(parts.seed, 'stream balance');
    this.#processes = Array.from({ length: servers }, (_, index) => this.#newProcess(`server ${index}`));
    for (const process of this.#processes) process.start();
  }

  /** Ends a process wherever it is, another one each time; it starts again after `downMs`. */
  crash(downMs: number): void {
    this.#next().crash(downMs);
  }

  /** Stops a process as for a deployment, another one each time; it starts again after `downMs`. */
  stop(downMs: number): void {
    this.#next().stop(downMs);
  }

  /** Lets a process crash at its nth next store operation. */
  crashAt(operation: number, when: 'before' | 'after'): void {
    this.#next().crashAt(operation, when);
  }

  /** Nothing is armed any more, and all processes are up. */
  heal(): void {
    for (const process of this.#processes) process.heal();
  }

  setLimits(limits: { readonly maxPageRecords: number; readonly maxMutations: number }): void {
    this.#limits = limits;
    for (const process of this.#processes) process.crash(0);
  }

  async prune(): Promise<void> {
    await this.#next().prune();
  }

  /** Goes back to an earlier state of store and application. The operator may report it, or not. */
  async restore(share: number): Promise<void> {
    if (this.#isRestoring) return;
    for (const process of this.#processes) process.crash(60_000);
    this.#isRestoring = true;
    const kept = this.#history.slice(0, Math.floor(share * this.#history.length));
    const isTold = this.#restores.chance(0.5);
    this.#parts.log(
      `server: is restored to ${kept.length} of ${this.#history.length} commits${isTold ? '' : ', untold'}`,
    );
    const { everApplied } = this.truth;
    this.store = await restoreStore(kept, { firstEpoch: FIRST_EPOCH, newEpoch: () => this.#newEpoch() });
    this.truth = this.#parts.newTruth();
    this.truth.beginFeed(FIRST_EPOCH);
    this.truth.line = `line-${++this.#lines}`;
    this.truth.isRestored = true;
    this.#history.length = 0;
    this.app.clear();
    for (const change of kept) this.#committed(change);
    const { mutant } = this.#parts;
    if (isTold && !mutant?.isCarryingOn) this.#committed({ type: 'epoch', epoch: await this.store.changeEpoch() });
    // A process that opens the store begins an epoch of its own.
    else if (!mutant?.isCarryingOn) await this.store.open();
    for (const [id, version] of everApplied) this.truth.everApplied.set(id, version);
    this.#isRestoring = false;
    for (const process of this.#processes) process.start();
  }

  /** Passes a request to one of the running processes; never resolves when that one dies meanwhile. */
  async handle(kind: 'push' | 'pull', body: unknown, user: string): Promise<SyncPushResponse | SyncErrorBody> {
    return this.#anyUp(this.#balance).handle(kind, body, user);
  }

  /** Passes a request for a live stream to one of the running processes; rejects when that one dies meanwhile. */
  async stream(request: Request): Promise<Served> {
    return this.#anyUp(this.#streamBalance).stream(request);
  }

  /**
   * Writes to the application's record and to sync in one transaction, as hooks of a data engine do, until it succeeds.
   */
  async writePastSync({ objectName, recordId, operation, data }: PastSync): Promise<void> {
    const name = nameOf({ objectName, recordId });
    if (this.#parts.mutant?.isBlindToOthers)
      return this.#putApp(name, operation === 'delete' ? null : { ...this.app.get(name), ...data });
    const change = { objectName, recordId, operation, ...(operation === 'delete' ? {} : { data }) };
    for (let isDone = false; !isDone; ) {
      const gate = this.#processes.find(({ isUp }) => isUp)?.gate;
      if (!gate) {
        await this.#parts.time.sleep(1000);
        continue;
      }
      const onCommit: GatedStoreParts['onCommit'] = (saves, app, epoch) => {
        const isOutside = this.#parts.world.resolver !== 'store' && saves.length > 0;
        const written = operation === 'delete' ? null : { ...this.app.get(name), ...data };
        this.#committed({ type: 'commit', saves, app: isOutside ? [...app, [name, written]] : app, epoch });
      };
      const store = this.#storeOf(gate, { own: new Map(), onCommit });
      const job = new SyncHandler({ store, platform: this.#platform });
      isDone = await Promise.race([
        job.recordChange(change).then(
          () => true,
          () => false,
        ),
        gate.death.catch(() => false),
      ]);
      if (!isDone) await this.#parts.time.sleep(1000);
    }
  }

  #storeOf(gate: Gate, { own, onCommit }: Pick<GatedStoreParts, 'own' | 'onCommit'>): SyncStore {
    const { mutant } = this.#parts;
    const onPrune = (before: number) => this.#committed({ type: 'prune', before });
    const isOpen = mutant?.isCarryingOn === true && this.truth.isRestored;
    return gatedStore(this.store, { gate, mutant, app: this.app, isOpen, own, onCommit, onPrune });
  }

  #putApp(name: string, data: JsonObject | null): void {
    this.#committed({ type: 'commit', saves: [], app: [[name, data]] });
  }

  #committed(change: Change): void {
    if (change.type === 'epoch') {
      this.#history.push(change);
      this.truth.beginFeed(change.epoch);
      return;
    }
    if (change.type === 'prune') {
      this.#history.push(change);
      this.truth.prune(change.before);
      return;
    }
    for (const [name, data] of change.app) this.app.put(name, data);
    const bases = this.truth.commit(change.saves, change);
    this.#history.push({ ...change, bases });
  }

  #anyUp(balance: Random): ServerProcess {
    const up = this.#processes.filter(({ isUp }) => isUp);
    const process = up[balance.between(0, up.length - 1)];
    if (!process) throw new Error('The server is down.');
    return process;
  }

  #next(): ServerProcess {
    const process = this.#processes[this.#turns++ % this.#processes.length];
    if (!process) throw new Error('A server has a process at least.');
    return process;
  }

  #newProcess(name: string): ServerProcess {
    const { time, log } = this.#parts;
    const own = new Map<string, LedgerRow>();
    return new ServerProcess({
      name,
      time,
      log,
      mayStart: () => !this.#isRestoring,
      newGate: (onCrash) => this.#newGate(onCrash),
      newResolver: (gate) => this.#newResolver(gate),
      newHandler: (gate) => this.#newHandler(gate, own),
      newEndpoint: (handler, gate) =>
        streamEndpoint(handler, { platform: this.#platformOf(gate), mutant: this.#parts.mutant, log }),
    });
  }

  #newHandler(gate: Gate, own: Map<string, LedgerRow>): SyncHandler {
    const { world, permissions, mutant, log } = this.#parts;
    return new SyncHandler({
      store: this.#storeOf(gate, {
        own,
        onCommit: (saves, app, epoch) => this.#committed({ type: 'commit', saves, app, epoch }),
      }),
      objects: new Map(Object.entries(world.objects).map(([name, object]) => [name, configOf(object, mutant)])),
      authorize: mutant?.authorize ? mutant.authorize(permissions.authorize()) : permissions.authorize(),
      limits: this.#limits,
      onWarning: ({ message, cause }) => log(`server: ${message} ${cause}`),
      changeLogRetentionDays: world.retentionMs / DAY_MS,
      platform: this.#platformOf(gate),
    });
  }

  /** The platform of a process: its timers die with it. */
  #platformOf(gate: Gate): NonNullable<SyncHandlerOptions['platform']> {
    const { time, mutant } = this.#parts;
    const setTimer = (work: () => void, delayMs: number) =>
      time.after(delayMs, () => {
        if (!gate.isDead && mutant?.goesOffAtServer?.(delayMs) !== false) work();
      });
    return { ...this.#platform, setTimer };
  }

  #newGate(onCrash: () => void): Gate {
    const { seed, time, world, isFaulty } = this.#parts;
    const { slowStore: slow, failStore: fail } = world.faults;
    return new Gate({
      time,
      random: new Random(seed, 'store', ++this.#gates),
      faults: () => (isFaulty() ? { slow, fail } : { slow: 0, fail: 0 }),
      onCrash,
    });
  }

  #newResolver(gate: Gate): RecordResolver {
    const { mutant } = this.#parts;
    const resolver = appResolver({
      kind: this.#parts.world.resolver,
      gate,
      outside: { get: (name) => this.app.get(name), put: (name, data) => this.#putApp(name, data) },
      isPoisonous: (data) => this.#isPoisonous(data),
    });
    return mutant?.resolver?.(resolver) ?? resolver;
  }

  /** Some poison lasts for ever, some passes after a minute. */
  #isPoisonous(data: JsonObject): boolean {
    const { poison } = data;
    if (typeof poison !== 'number') return false;
    const now = this.#parts.time.now();
    const key = String(poison);
    const since = this.#poisonedSince.get(key) ?? now;
    this.#poisonedSince.set(key, since);
    return isLastingPoison(data) || now - since < 60_000;
  }

  #newEpoch(): string {
    this.#epochs += 1;
    return `epoch-${this.#epochs}`;
  }
}

function configOf(
  { strategy, isKnownToServer, conflictFields }: WorldPlan['objects']['task'],
  mutant: Mutant | undefined,
): SyncConfig {
  const config = {
    enabled: true,
    ...(isKnownToServer ? { strategy } : {}),
    ...(conflictFields ? { conflict_fields: conflictFields } : {}),
  };
  return mutant?.config?.(config) ?? config;
}
