/** Runs sync inside ObjectStack: the data engine keeps the records and sync's state. Loaded if a kernel has one. */
import { type RecordRef, recordKey, type SyncConfig } from '@objectql/sync-types';
import { AS_SYSTEM, type DataEngine, type EngineFeed, type KernelContext, shares } from '@objectql/sync-types/kernel';
import type { Authenticate } from '../http/sync-endpoint.js';
import { systemPlatform } from '../platform/platform.js';
import type { Authorize } from '../rules/authorize.js';
import { readObjectConfigs } from '../rules/object-configs.js';
import { resolveLimits } from '../server-limits.js';
import type { SyncHandlerOptions } from '../sync-handler-options.js';
import { createBringUpToDate } from './bring-up-to-date.js';
import { type AuthService, engineAuthenticate, type IdentityCore } from './engine-authenticate.js';
import { engineAuthorize, type RightsServices, type SecurityService } from './engine-authorize.js';
import { defineEngineObjects } from './engine-objects.js';
import { EngineRecords } from './engine-records.js';
import { EngineStore } from './engine-store.js';
import { Enrolment } from './enrolment.js';
import { followWrites } from './follow-writes.js';
import type { MembershipResolver } from './memberships.js';
import { NAMED_IDS } from './statement-share.js';
import { readSyncedObjects } from './synced-objects.js';

/** 1 min: what ends it is most often a database that is away for some seconds, and else a fault that takes a person. */
export const RETRY_MS = 60_000;

export type EngineSyncOptions = Pick<SyncHandlerOptions, 'objects' | 'authorize' | 'limits' | 'platform'>;

/** The parts of a handler, and the start and stop of what works beside it. */
export class EngineSync {
  readonly handlerOptions: Required<Pick<SyncHandlerOptions, 'store' | 'resolver' | 'authorize' | 'objects'>>;
  /** For a sync client on the same engine. */
  readonly feed: EngineFeed;
  readonly #store: EngineStore;
  /** Filled at `start`, when all definitions are there. */
  readonly #objects = new Map<string, SyncConfig>();
  readonly #engine: DataEngine;
  readonly #options: EngineSyncOptions;
  readonly #enrolment: Enrolment;
  /** Records that other plugins write in their own `start`, which may run before this one's. */
  #early: Map<string, RecordRef> | undefined = new Map();
  #context: KernelContext | undefined;
  #enrolling: Promise<void> | undefined;
  #cancelRetry: () => void = () => {};

  /** Create it while plugins are initialized: the engine then makes the tables, and writes are noted from here on. */
  constructor(engine: DataEngine, options: EngineSyncOptions) {
    const { platform = systemPlatform, limits, authorize } = options;
    const records = new EngineRecords(engine, (ref) => this.#store.hasTouched(ref));
    const bringUpToDate = createBringUpToDate({
      records,
      now: () => platform.now(),
      maxRecordBytes: resolveLimits(limits).maxRecordBytes,
      onUnfit: (message) => this.#context?.logger.warn(`Sync: ${message}`),
    });
    this.#engine = engine;
    this.#options = options;
    this.#store = new EngineStore(engine, { bringUpToDate, platform });
    this.#enrolment = new Enrolment({ engine, store: this.#store, platform });
    this.handlerOptions = {
      store: this.#store,
      resolver: records,
      authorize: overrideRules(
        engineAuthorize(records, () => this.#rightsServices()),
        authorize,
      ),
      objects: this.#objects,
    };
    defineEngineObjects(engine);
    const given = readObjectConfigs(options.objects ?? {});
    this.feed = followWrites(engine, {
      store: this.#store,
      isSynced: (objectName) =>
        this.#early
          ? given.has(objectName) || engine.registry.getObject(objectName)?.sync !== undefined
          : this.#objects.get(objectName)?.enabled === true,
      isEarly: () => this.#early !== undefined,
      compareLater: (refs) => this.#compareLater(refs),
    });
  }

  /**
   * Versions every write from here on, and enrols earlier records. Throws when something that sync needs is missing.
   */
  async start(context: KernelContext): Promise<void> {
    this.#context = context;
    await this.#refuseWithoutTransactions();
    for (const [objectName, config] of readSyncedObjects(this.#engine, this.#options.objects)) {
      this.#objects.set(objectName, config);
    }
    if (this.#syncedNames().length === 0) {
      context.logger.warn("Sync: no object is synced. Write 'sync: { enabled: true }' into the definition of one.");
    }
    await this.#store.open();
    const leftOver = await this.#followFromNow();
    await this.#enrolment.forgetOthers(this.#syncedNames().filter((objectName) => !leftOver.has(objectName)));
    this.#enrol(context);
  }

  /** Tells requests apart by the signed-in user; `undefined` when the kernel has no service `auth`. */
  async authenticate(context: KernelContext): Promise<Authenticate | undefined> {
    const services = context.getServices();
    // Casts, because services carry no types; these are the names ObjectStack gives them.
    const auth = services.get('auth') as AuthService | undefined;
    if (!auth) return undefined;
    const core = await loadCore();
    const membership = () => this.#rightsServices().membership;
    return engineAuthenticate({ engine: this.#engine, auth, tenancy: services.get('tenancy'), membership, core });
  }

  /** Resolves once the records from before sync are in the feed. */
  async enrolled(): Promise<void> {
    await this.#enrolling;
  }

  /**
   * Compares all synced objects with the feed and sends the difference to devices, after writes past the data engine.
   */
  async reconcile(): Promise<void> {
    await this.enrolled();
    await this.#enrolment.again(this.#syncedNames());
  }

  /** Ends enrolling. Writes are followed as long as the engine makes any: other plugins may still write after this. */
  async stop(): Promise<void> {
    this.#enrolment.stop();
    await this.#enrolling;
    this.#cancelRetry();
  }

  /** Nobody else enrols these records, so it goes on after whatever ended it. */
  #enrol(context: KernelContext): void {
    const { platform = systemPlatform } = this.#options;
    this.#enrolling = this.#enrolment.run(this.#syncedNames()).catch((error: unknown) => {
      context.logger.error('Sync: records from before sync could not be enrolled; it goes on in a minute.', error);
      this.#cancelRetry = platform.setTimer(() => this.#enrol(context), RETRY_MS);
    });
  }

  /**
   * Casts, because services carry no types; ObjectStack gives them these names. Others may use them for something else.
   */
  #rightsServices(): RightsServices {
    const services = this.#context?.getServices();
    const security = services?.get('security') as Partial<SecurityService> | undefined;
    return {
      security: security?.resolvePermissionSetsForContext ? (security as SecurityService) : undefined,
      membership: services?.get('rls-membership-resolver') as MembershipResolver | undefined,
    };
  }

  /** Versions what was written without: when sync follows writes, or at once if it does. */
  #compareLater(refs: readonly RecordRef[]): void {
    if (this.#early) for (const ref of refs) this.#early.set(recordKey(ref), ref);
    else void this.#compare(refs).catch((error: unknown) => this.#context?.logger.error(COMPARING_FAILED, error));
  }

  /**
   * Follows every write from here on, and versions those noted before. Answers the objects that were written too much
   * for that: the kernel gives a start 30 s. They are enrolled anew.
   */
  async #followFromNow(): Promise<ReadonlySet<string>> {
    const early = [...(this.#early?.values() ?? [])];
    this.#early = undefined;
    if (early.length > NAMED_IDS) return new Set(early.map(({ objectName }) => objectName));
    await this.#compare(early);
    return new Set();
  }

  /** Versions those of these records that differ from the feed. */
  async #compare(refs: readonly RecordRef[]): Promise<void> {
    const synced = refs.filter(({ objectName }) => this.#objects.get(objectName)?.enabled);
    for (const share of shares(synced, NAMED_IDS)) {
      await this.#store.around(async () => {
        for (const ref of share) this.#store.touch(ref);
      });
    }
  }

  #syncedNames(): readonly string[] {
    return [...this.#objects].flatMap(([objectName, { enabled }]) => (enabled ? [objectName] : []));
  }

  async #refuseWithoutTransactions(): Promise<void> {
    try {
      await this.#engine.transaction(async () => {}, AS_SYSTEM, { require: true });
    } catch (cause) {
      const advice = 'Use a SQL driver for the default datasource, or pass a resolver and a store of your own.';
      throw new Error(`Sync needs a data engine with transactions. ${advice}`, { cause });
    }
  }
}

/** Replaces the platform's rules by the application's. One by one, because a spread copies no methods of a class. */
function overrideRules(platform: Authorize, own: Authorize = {}): Authorize {
  const { read, write, scope } = own;
  return {
    ...platform,
    ...(read ? { read: (question) => read.call(own, question) } : {}),
    ...(write ? { write: (question) => write.call(own, question) } : {}),
    ...(scope ? { scope: (principal) => scope.call(own, principal) } : {}),
  };
}

const COMPARING_FAILED = "Sync: a write could not be versioned after its end. Call the plugin's reconcile().";

async function loadCore(): Promise<IdentityCore> {
  try {
    return (await import('@objectstack/core')) as unknown as IdentityCore;
  } catch (cause) {
    const advice = 'Install it beside this package (npm install @objectstack/core), or pass authenticate.';
    throw new Error(`Sync needs @objectstack/core to know who is signed in. ${advice}`, { cause });
  }
}
