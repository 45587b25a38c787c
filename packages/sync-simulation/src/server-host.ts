/** The machine the server runs on: processes start and crash, the store stays, and sometimes is yesterday's. */
import {
  MemoryStore,
  type RecordResolver,
  SyncHandler,
  type SyncHandlerOptions,
  SyncRequestError,
  type SyncStore,
} from '@objectql/protocol-sync';
import type { JsonObject, RecordId, SyncConfig, SyncErrorBody, SyncPushResponse } from '@objectql/sync-types';
import { AppDatabase } from './app-database.js';
import { appResolver } from './app-resolver.js';
import { type Change, restoreStore } from './backups.js';
import { Gate, never } from './gate.js';
import { type GatedStoreParts, gatedStore } from './gated-store.js';
import type { Mutant } from './mutant.js';
import type { Permissions } from './permissions.js';
import type { WorldPlan } from './plan.js';
import { Random } from './random.js';
import { nameOf } from './record-name.js';
import type { ServerTruth } from './server-truth.js';
import type { VirtualTime } from './virtual-time.js';

export interface ServerHostParts {
  readonly seed: number;
  readonly time: VirtualTime;
  readonly world: WorldPlan;
  readonly mutant: Mutant | undefined;
  readonly permissions: Permissions;
  readonly newTruth: () => ServerTruth;
  /** False once faults are over. */
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

export class ServerHost {
  readonly app = new AppDatabase();
  truth: ServerTruth;
  store: MemoryStore;
  readonly #parts: ServerHostParts;
  readonly #platform: NonNullable<SyncHandlerOptions['platform']>;
  readonly #history: Change[] = [];
  #gate: Gate;
  #handler: SyncHandler | undefined;
  #resolver: RecordResolver;
  #limits: { readonly maxPageRecords: number; readonly maxMutations: number };
  #starts = 0;
  #epochs = 0;
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
    const { pageRecords, maxMutations } = parts.world;
    this.#limits = { maxPageRecords: pageRecords, maxMutations };
    this.truth = parts.newTruth();
    this.truth.epoch = this.#newEpoch();
    this.store = new MemoryStore({ platform: { randomId: () => this.truth.epoch } });
    this.#gate = this.#newGate();
    this.#resolver = this.#newResolver();
    this.start();
  }

  get isUp(): boolean {
    return this.#handler !== undefined;
  }

  /** Starts a server process over the store as it is. */
  start(): void {
    if (this.#handler || this.#isRestoring) return;
    const { world, permissions, mutant } = this.#parts;
    this.#gate = this.#newGate();
    this.#resolver = this.#newResolver();
    this.#handler = new SyncHandler({
      store: this.#storeOf(this.#gate, (saves, app) => this.#committed({ type: 'commit', saves, app })),
      objects: new Map(Object.entries(world.objects).map(([name, object]) => [name, configOf(object)])),
      authorize: mutant?.authorize ? mutant.authorize(permissions.authorize()) : permissions.authorize(),
      limits: this.#limits,
      onWarning: ({ message, cause }) => this.#parts.log(`server: ${message} ${cause}`),
      changeLogRetentionDays: world.retentionMs / DAY_MS,
      platform: this.#platform,
    });
  }

  /** Ends the process wherever it is; it starts again after `downMs`. */
  crash(downMs: number): void {
    if (!this.#handler) return;
    this.#parts.log('server: crashes');
    this.#handler = undefined;
    this.#gate.kill();
    this.#parts.time.after(downMs, () => this.start());
  }

  /** Lets the process crash at its nth next store operation. */
  crashAt(operation: number, when: 'before' | 'after'): void {
    this.#gate.arm(operation, when);
  }

  /** Nothing is armed any more, and the server is up. */
  heal(): void {
    this.#gate.disarm();
    this.start();
  }

  setLimits(limits: { readonly maxPageRecords: number; readonly maxMutations: number }): void {
    this.#limits = limits;
    this.crash(0);
  }

  async prune(): Promise<void> {
    await this.#handler?.prune().catch((error: unknown) => this.#parts.log(`server: prune failed, ${error}`));
  }

  /** Goes back to an earlier state of store and application, under a new epoch. */
  async restore(share: number): Promise<void> {
    if (this.#isRestoring) return;
    this.crash(60_000);
    this.#isRestoring = true;
    const kept = this.#history.slice(0, Math.floor(share * this.#history.length));
    const epoch = this.#parts.mutant?.isKeepingEpoch ? this.truth.epoch : this.#newEpoch();
    this.#parts.log(`server: is restored to ${kept.length} of ${this.#history.length} commits`);
    const { everApplied } = this.truth;
    this.store = await restoreStore(kept, epoch);
    this.truth = this.#parts.newTruth();
    this.truth.epoch = epoch;
    this.truth.isRestored = true;
    this.#history.length = 0;
    this.app.clear();
    for (const change of kept) this.#committed(change);
    for (const [id, version] of everApplied) this.truth.everApplied.set(id, version);
    this.#isRestoring = false;
    this.start();
  }

  /** Handles a request as it comes over the wire; never resolves when the process dies meanwhile. */
  async handle(kind: 'push' | 'pull', body: unknown, user: string): Promise<SyncPushResponse | SyncErrorBody> {
    const handler = this.#handler;
    const gate = this.#gate;
    if (!handler) throw new Error('The server is down.');
    try {
      const context = { principal: { id: user } };
      const answer =
        kind === 'push'
          ? await handler.handlePush(body, this.#resolver, context)
          : await handler.handlePull(body, context);
      return gate.isDead ? await never() : answer;
    } catch (error) {
      if (gate.isDead) return never();
      if (error instanceof SyncRequestError) return error.toBody();
      return { error: { code: 'INTERNAL', message: 'The server failed.' } };
    }
  }

  /** Writes to the application's record and to sync in one transaction, as hooks of a data engine do, until it works. */
  async writePastSync({ objectName, recordId, operation, data }: PastSync): Promise<void> {
    const name = nameOf({ objectName, recordId });
    if (this.#parts.mutant?.isBlindToOthers)
      return this.#putApp(name, operation === 'delete' ? null : { ...this.app.get(name), ...data });
    const change = { objectName, recordId, operation, ...(operation === 'delete' ? {} : { data }) };
    for (let isDone = false; !isDone; ) {
      const store = this.#storeOf(this.#gate, (saves, app) => {
        const isOutside = this.#parts.world.resolver !== 'store' && saves.length > 0;
        const written = operation === 'delete' ? null : { ...this.app.get(name), ...data };
        this.#committed({ type: 'commit', saves, app: isOutside ? [...app, [name, written]] : app });
      });
      const job = new SyncHandler({ store, platform: this.#platform });
      isDone = await Promise.race([
        job.recordChange(change).then(
          () => true,
          () => false,
        ),
        this.#gate.death.catch(() => false),
      ]);
      if (!isDone) await this.#parts.time.sleep(1000);
    }
  }

  #storeOf(gate: Gate, onCommit: GatedStoreParts['onCommit']): SyncStore {
    const { mutant } = this.#parts;
    const onPrune = (before: number) => this.#committed({ type: 'prune', before });
    return gatedStore(this.store, { gate, mutant, app: this.app, onCommit, onPrune });
  }

  #putApp(name: string, data: JsonObject | null): void {
    this.#committed({ type: 'commit', saves: [], app: [[name, data]] });
  }

  #committed(change: Change): void {
    if (change.type === 'prune') {
      this.#history.push(change);
      this.truth.prune(change.before);
      return;
    }
    for (const [name, data] of change.app) this.app.put(name, data);
    const bases = this.truth.commit(change.saves, change.bases);
    this.#history.push({ ...change, bases });
  }

  #newGate(): Gate {
    const { seed, time, world, isFaulty } = this.#parts;
    const { slowStore: slow, failStore: fail } = world.faults;
    return new Gate({
      time,
      random: new Random(seed, 'store', ++this.#starts),
      faults: () => (isFaulty() ? { slow, fail } : { slow: 0, fail: 0 }),
      onCrash: () => this.crash(1000),
    });
  }

  #newResolver(): RecordResolver {
    return appResolver({
      kind: this.#parts.world.resolver,
      gate: this.#gate,
      outside: { get: (name) => this.app.get(name), put: (name, data) => this.#putApp(name, data) },
      isPoisonous: (data) => this.#isPoisonous(data),
    });
  }

  /** Some poison is for ever, some passes after a minute. */
  #isPoisonous({ poison }: JsonObject): boolean {
    if (typeof poison !== 'number') return false;
    const now = this.#parts.time.now();
    const key = String(poison);
    const since = this.#poisonedSince.get(key) ?? now;
    this.#poisonedSince.set(key, since);
    return poison % 6 === 0 || now - since < 60_000;
  }

  #newEpoch(): string {
    this.#epochs += 1;
    return `epoch-${this.#epochs}`;
  }
}

function configOf({ strategy, isKnownToServer, conflictFields }: WorldPlan['objects']['task']): SyncConfig {
  return {
    enabled: true,
    ...(isKnownToServer ? { strategy } : {}),
    ...(conflictFields ? { conflict_fields: conflictFields } : {}),
  };
}
