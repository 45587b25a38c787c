/** The sync server as a plugin of an ObjectStack kernel, and without one. */

import type { DataEngine } from '@objectql/sync-types/kernel';
import { consoleLogger, type KernelContext, type KernelLogger, type KernelPlugin } from '@objectql/sync-types/kernel';
import { version } from '../package.json';
import {
  type Authenticate,
  createSyncEndpoint,
  DEFAULT_PATH,
  type SyncEndpoint,
  type SyncEndpointOptions,
} from './http/sync-endpoint.js';
import { normalizePath } from './http/sync-route.js';
import { checkOptions } from './kernel/check-options.js';
import { type HttpServer, mountOnHttpServer } from './kernel/mount-on-http-server.js';
import type { EngineSync } from './objectstack/engine-sync.js';
import { repeatInBackground } from './platform/repeat-in-background.js';
import { SyncHandler, type SyncHandlerOptions } from './sync-handler.js';

export interface SyncProtocolPluginOptions
  extends Omit<SyncHandlerOptions, 'changeLogRetentionDays'>,
    Pick<SyncEndpointOptions, 'authenticate'> {
  readonly endpoint?: {
    /**
     * Whether the kernel's HTTP server, where it has one, serves sync. With `false` only your own routes do:
     * `handler` and `endpoint` work all the same.
     */
    readonly enabled: boolean;
    /** Default `/api/sync`. */
    readonly path?: string;
    /** Mutations in one push; what is beyond is answered `BATCH_TOO_LARGE`. Default 1,000. */
    readonly maxMutationsPerRequest?: number;
    /** Requests of one principal worked on at once; more are answered 429. Default 16. */
    readonly maxConcurrentRequests?: number;
    /** Days for which deletes and outcomes are remembered. A device away for longer walks the feed anew. Default 30. */
    readonly changeLogRetentionDays?: number;
    /** Whether `GET {path}/stream` tells clients at once that there is something new to pull. Default `false`. */
    readonly realtime?: boolean;
  };
}

/** What the plugin adds to its kernel as `kernel.syncProtocol`, and registers as the service `sync-protocol`. */
export interface SyncProtocol {
  readonly handler: SyncHandler;
  readonly endpoint: SyncEndpoint;
  /** Resolves once the records from before sync are in the feed; at once where there is no data engine. */
  enrolled(): Promise<void>;
  /**
   * Compares all synced objects of the data engine with the feed and sends the difference to devices. Call it after writes that
   * the engine did not see: SQL of your own, a restored table, a time without this plugin.
   */
  reconcile(): Promise<void>;
}

/** 1 h: what a retention counted in days lets go of is due at no exact time. */
const PRUNE_PAUSE_MS = 60 * 60 * 1000;

/**
 * The whole sync server. Ready after `new`; a kernel also mounts it on its HTTP server and prunes what the retention
 * lets go of. Without a kernel, call `handler.prune()` once a day.
 *
 * On a kernel with a data engine (the service `objectql`), and without a resolver of your own, records are read and written
 * through the engine, by the user who is signed in, and sync's state lives in the engine's database.
 */
export class SyncProtocolPlugin implements KernelPlugin, SyncProtocol {
  readonly name = '@objectql/protocol-sync';
  readonly version = version;
  readonly providesServices = ['sync-protocol'];
  /** Where they are present: what defines objects, permissions and users, and what serves, comes first. */
  readonly optionalDependencies = [
    'com.objectstack.engine.objectql',
    'com.objectstack.security',
    'com.objectstack.auth',
    'com.objectstack.server.hono',
  ];
  readonly #options: SyncProtocolPluginOptions;
  #handler: SyncHandler;
  #endpoint: SyncEndpoint;
  #authenticate: Authenticate | undefined;
  #engineSync: EngineSync | undefined;
  #logger: KernelLogger = consoleLogger;
  #stopPruning: (() => Promise<void>) | undefined;
  #destroyed: Promise<void> | undefined;

  /** Throws `TypeError` for an option that is unknown or cannot be meant. */
  constructor(options: SyncProtocolPluginOptions = {}) {
    checkOptions(options);
    this.#options = options;
    this.#authenticate = options.authenticate;
    this.#handler = this.#createHandler(options);
    this.#endpoint = this.#createEndpoint();
  }

  /** Takes pushes and pulls as values: what your own routes call. */
  get handler(): SyncHandler {
    return this.#handler;
  }

  /** Takes them as web requests: what Hono, Bun, Deno and Workers call, and `toNodeHandler` turns into Express's. */
  get endpoint(): SyncEndpoint {
    return this.#endpoint;
  }

  /** Adds `syncProtocol` to the kernel. */
  async init(context: KernelContext): Promise<void> {
    this.#logger = context.logger;
    // A cast, because services carry no types; this is the name ObjectStack gives its data engine.
    const engine = context.getServices().get('objectql') as DataEngine | undefined;
    if (engine && !this.#options.resolver) await this.#liveIn(engine);
    context.registerService('sync-protocol', this);
    Object.defineProperty(context.getKernel(), 'syncProtocol', { value: this, configurable: true, enumerable: true });
  }

  /** Mounts the endpoint where the kernel has an HTTP server, and begins to prune. */
  async start(context: KernelContext): Promise<void> {
    await this.#engineSync?.start(context);
    if (this.#options.endpoint?.enabled) await this.#mount(context);
    this.#stopPruning = repeatInBackground(() => this.#prune(), PRUNE_PAUSE_MS);
  }

  async enrolled(): Promise<void> {
    await this.#engineSync?.enrolled();
  }

  async reconcile(): Promise<void> {
    await this.#engineSync?.reconcile();
  }

  /** Ends what runs in the background and closes the store. */
  destroy(): Promise<void> {
    this.#destroyed ??= this.#destroy();
    return this.#destroyed;
  }

  async #destroy(): Promise<void> {
    await this.#stopPruning?.();
    await this.#engineSync?.stop();
    await this.#handler.close();
  }

  /** The data engine, which is known only now, takes the place of the store. */
  async #liveIn(engine: DataEngine): Promise<void> {
    if (this.#options.store) {
      const advice = 'Leave the store out, or pass the resolver that goes with it';
      throw new TypeError(`SyncProtocolPlugin: this kernel's data engine keeps records and sync's state. ${advice}.`);
    }
    const { EngineSync } = await import('./objectstack/engine-sync.js');
    this.#engineSync = new EngineSync(engine, this.#options);
    this.#handler = this.#createHandler({ ...this.#options, ...this.#engineSync.handlerOptions });
    this.#endpoint = this.#createEndpoint();
  }

  #createHandler({ endpoint, authenticate, ...options }: SyncProtocolPluginOptions): SyncHandler {
    const { maxMutationsPerRequest, changeLogRetentionDays } = endpoint ?? {};
    const maxMutations = maxMutationsPerRequest === undefined ? {} : { maxMutations: maxMutationsPerRequest };
    return new SyncHandler({
      onWarning: ({ message, cause }) => this.#logger.warn(`Sync: ${message}`, ...(cause === undefined ? [] : [cause])),
      ...options,
      limits: { ...options.limits, ...maxMutations },
      changeLogRetentionDays,
    });
  }

  #createEndpoint(): SyncEndpoint {
    const { endpoint, platform } = this.#options;
    return createSyncEndpoint({
      handler: this.#handler,
      authenticate: this.#authenticate,
      path: endpoint?.path,
      maxConcurrentRequests: endpoint?.maxConcurrentRequests,
      realtime: endpoint?.realtime,
      platform,
      onError: (error) => this.#logger.error('Sync: a request failed.', error),
    });
  }

  async #mount(context: KernelContext): Promise<void> {
    const path = normalizePath(this.#options.endpoint?.path ?? DEFAULT_PATH);
    if (!this.#authenticate && this.#engineSync) {
      this.#authenticate = await this.#engineSync.authenticate(context);
      this.#endpoint = this.#createEndpoint();
    }
    // A cast, because services carry no types; this is the name ObjectStack gives its HTTP server.
    const server = context.getServices().get('http.server') as HttpServer | undefined;
    if (!server) {
      this.#logger.warn(
        `Sync: this kernel has no HTTP server. Mount kernel.syncProtocol.endpoint at ${path} yourself.`,
      );
      return;
    }
    const realtime = this.#options.endpoint?.realtime ?? false;
    mountOnHttpServer(server, { endpoint: this.#endpoint, path, realtime });
    if (this.#authenticate) return;
    this.#logger.warn(
      `Sync: ${path} is served to whoever reaches it. Pass 'authenticate' to SyncProtocolPlugin to know who is asking.`,
    );
  }

  async #prune(): Promise<void> {
    try {
      await this.#handler.prune();
    } catch (error) {
      this.#logger.warn('Sync: old deletes and outcomes could not be dropped; it is tried again in an hour.', error);
    }
  }
}
