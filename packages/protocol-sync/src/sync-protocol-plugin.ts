/** The sync server as a plugin of an ObjectStack kernel, and without one. */
import {
  consoleLogger,
  type DataEngine,
  ENGINE_FEED,
  type KernelContext,
  type KernelLogger,
  type KernelPlugin,
} from '@objectql/sync-types/kernel';
import { version } from '../package.json';
import type { AnswerCall } from './http/http-call.js';
import {
  type Authenticate,
  createAnswerCall,
  DEFAULT_PATH,
  endpointOf,
  type SyncEndpoint,
  type SyncEndpointOptions,
} from './http/sync-endpoint.js';
import { normalizePath } from './http/sync-route.js';
import { checkOptions } from './kernel/check-options.js';
import { type HttpServer, mountOnHttpServer } from './kernel/mount-on-http-server.js';
import type { EngineSync } from './objectstack/engine-sync.js';
import { systemPlatform } from './platform/platform.js';
import { repeatInBackground } from './platform/repeat-in-background.js';
import { messageOf, printSparingly } from './print-sparingly.js';
import { SyncHandler } from './sync-handler.js';
import { likenessOfWarning, type SyncHandlerOptions, type SyncWarning } from './sync-handler-options.js';
import { SyncRequestError } from './sync-request-error.js';

/** A handler's options, and where the kernel serves it. Unknown options throw `TypeError`. */
export interface SyncProtocolPluginOptions
  extends Omit<SyncHandlerOptions, 'changeLogRetentionDays'>,
    Pick<SyncEndpointOptions, 'authenticate'> {
  /** Where and how the kernel's HTTP server serves sync. Default: it does not. */
  readonly endpoint?:
    | {
        /**
         * Whether the kernel's HTTP server, if it has one, serves sync. With `false` only your own routes do: `handler`
         * and `endpoint` work all the same.
         */
        readonly enabled: boolean;
        /** Default `/api/sync`. */
        readonly path?: string | undefined;
        /** Mutations in one push; those beyond it are answered `BATCH_TOO_LARGE`. Default 1,000. */
        readonly maxMutationsPerRequest?: number | undefined;
        /** Requests of one principal that are handled at the same time; further ones are answered 429. Default 16. */
        readonly maxConcurrentRequests?: number | undefined;
        /**
         * Days for which deletes and outcomes are remembered. A device away for longer walks the feed anew. Default 30.
         */
        readonly changeLogRetentionDays?: number | undefined;
        /** Whether `GET {path}/stream` tells clients at once that there is something new to pull. Default `false`. */
        readonly realtime?: boolean | undefined;
      }
    | undefined;
}

/** What the plugin adds to its kernel as `kernel.syncProtocol`, and registers as the service `sync-protocol`. */
export interface SyncProtocol {
  /** Answers requests from routes of your own; it asks nobody to sign in. */
  readonly handler: SyncHandler;
  /** Answers web requests, from whoever `authenticate` or the kernel's sign-in finds out. */
  readonly endpoint: SyncEndpoint;
  /** Resolves once the records from before sync are in the feed; at once when there is no data engine. */
  enrolled(): Promise<void>;
  /**
   * Compares all synced objects of the data engine with the feed and sends the difference to devices. Call it after
   * writes that the engine did not see: your own SQL, a restored table, or a time when this plugin was not installed.
   */
  reconcile(): Promise<void>;
}

/** 1 h: retention is counted in days, so pruning need not be exact. */
const PRUNE_PAUSE_MS = 60 * 60 * 1000;
/** 1 s: kernels start within seconds. */
const START_RETRY_MS = 1000;

/**
 * The whole sync server. Ready after `new`; a kernel also mounts it on its HTTP server and prunes what is older than
 * the retention. Without a kernel, call `handler.prune()` every hour.
 *
 * On a kernel with a data engine (the service `objectql`), and without a resolver of your own, records are read and
 * written through the engine as the user who is signed in, and sync's state is kept in the engine's database.
 */
export class SyncProtocolPlugin implements KernelPlugin, SyncProtocol {
  readonly name = '@objectql/protocol-sync';
  readonly version = version;
  readonly providesServices = ['sync-protocol'];
  /** If present, these come first: they define objects, permissions and users, or serve HTTP. */
  readonly optionalDependencies = [
    'com.objectstack.engine.objectql',
    'com.objectstack.security',
    'com.objectstack.auth',
    'com.objectstack.server.hono',
  ];
  readonly #options: SyncProtocolPluginOptions;
  /**
   * Takes pushes and pulls as web requests: Hono, Bun, Deno and Workers call it, and `toNodeHandler` turns it into a
   * handler for Express. It never changes, because routes are often declared before the kernel is started.
   */
  readonly endpoint: SyncEndpoint = endpointOf((call) => {
    this.#serving.isUsed = true;
    return this.#serving.answerCall(call);
  });
  #serving: Serving;
  #engineSync: EngineSync | undefined;
  #logger: KernelLogger = consoleLogger;
  #stopPruning: (() => Promise<void>) | undefined;
  #destroyed: Promise<void> | undefined;
  #hasKernel = false;

  /** Throws `TypeError` for an option that is unknown or makes no sense. */
  constructor(options: SyncProtocolPluginOptions = {}) {
    checkOptions(options);
    this.#options = options;
    this.#serving = this.#serve(this.#createHandler(options), options.authenticate);
  }

  /**
   * Takes pushes and pulls as values, for routes of your own. On a kernel with a data engine, starting the kernel
   * replaces it, and the earlier one then refuses everything.
   */
  get handler(): SyncHandler {
    this.#serving.isUsed = true;
    return this.#serving.handler;
  }

  /** Adds `syncProtocol` to the kernel. A plugin that belonged to another kernel is taken from it and begins anew. */
  async init(context: KernelContext): Promise<void> {
    if (this.#hasKernel) await this.#beginAnew();
    this.#hasKernel = true;
    this.#logger = context.logger;
    // A cast, because services carry no types; this is the name ObjectStack gives its data engine.
    const engine = context.getServices().get('objectql') as DataEngine | undefined;
    if (engine && !this.#options.resolver) await this.#liveIn(engine);
    if (this.#engineSync) context.registerService(ENGINE_FEED, this.#engineSync.feed);
    context.registerService('sync-protocol', this);
    Object.assign(context.getKernel(), { syncProtocol: this });
  }

  /** Mounts the endpoint if the kernel has an HTTP server, and begins to prune. */
  async start(context: KernelContext): Promise<void> {
    if (this.#engineSync) await this.#startEngineSync(this.#engineSync, context);
    if (this.#options.endpoint?.enabled) await this.#mount(context);
    this.#stopPruning = repeatInBackground(() => this.#prune(), PRUNE_PAUSE_MS);
  }

  async enrolled(): Promise<void> {
    await this.#engineSync?.enrolled();
  }

  async reconcile(): Promise<void> {
    await this.#engineSync?.reconcile();
  }

  /** Ends background work and closes the store. */
  destroy(): Promise<void> {
    this.#destroyed ??= this.#destroy();
    return this.#destroyed;
  }

  /**
   * Returns to the state after `new`. The earlier kernel was shut down or failed to start, and may have left work
   * running.
   */
  async #beginAnew(): Promise<void> {
    await this.destroy();
    this.#destroyed = undefined;
    this.#engineSync = undefined;
    this.#serving = this.#serve(this.#createHandler(this.#options), this.#options.authenticate);
  }

  async #destroy(): Promise<void> {
    const pruned = this.#stopPruning?.();
    await this.#engineSync?.stop();
    // Ends pruning after the current slice: a backlog may take minutes.
    await this.#serving.handler.close();
    await pruned;
  }

  /** Replaces the store with the data engine, which is known only now. */
  async #liveIn(engine: DataEngine): Promise<void> {
    if (this.#options.store) {
      const advice = 'Leave the store out, or pass the resolver that goes with it';
      throw new TypeError(`SyncProtocolPlugin: this kernel's data engine keeps records and sync's state. ${advice}.`);
    }
    const { EngineSync } = await import('./objectstack/engine-sync.js');
    this.#engineSync = new EngineSync(engine, this.#options);
    // It would keep anything it took from now on in memory alone, and lose it when the process ends.
    await this.#serving.handler.close();
    if (this.#serving.isUsed) {
      const advice = 'Serve requests, and use kernel.syncProtocol.handler, once the kernel is started';
      this.#logger.warn(`Sync: what this plugin took before the kernel was started is in memory alone. ${advice}.`);
    }
    const handler = this.#createHandler({ ...this.#options, ...this.#engineSync.handlerOptions });
    this.#serving = this.#serve(handler, refuseAtStart);
  }

  /** From here on the caller of each request is known, also when the application's own routes serve the endpoint. */
  async #startEngineSync(engineSync: EngineSync, context: KernelContext): Promise<void> {
    await engineSync.start(context);
    const authenticate = this.#options.authenticate ?? (await engineSync.authenticate(context));
    this.#serving = this.#serve(this.#serving.handler, authenticate);
  }

  #createHandler({ endpoint, authenticate, ...options }: SyncProtocolPluginOptions): SyncHandler {
    const { maxMutationsPerRequest, changeLogRetentionDays } = endpoint ?? {};
    const maxMutations = maxMutationsPerRequest === undefined ? {} : { maxMutations: maxMutationsPerRequest };
    const warn = ({ code, message, cause }: SyncWarning, more: readonly string[]) =>
      this.#logger.warn([`Sync: ${code}: ${message}`, ...more].join(' '), ...(cause === undefined ? [] : [cause]));
    return new SyncHandler({
      onWarning: printSparingly(warn, likenessOfWarning, options.platform ?? systemPlatform),
      ...options,
      limits: { ...options.limits, ...maxMutations },
      changeLogRetentionDays,
    });
  }

  #serve(handler: SyncHandler, authenticate: Authenticate | undefined): Serving {
    const { endpoint, platform } = this.#options;
    const fail = (error: unknown, more: readonly string[]) =>
      this.#logger.error(['Sync: a request failed.', ...more].join(' '), error);
    const answerCall = createAnswerCall({
      handler,
      authenticate,
      path: endpoint?.path,
      maxConcurrentRequests: endpoint?.maxConcurrentRequests,
      realtime: endpoint?.realtime,
      platform,
      onError: printSparingly(fail, messageOf, platform ?? systemPlatform),
    });
    return { handler, authenticate, answerCall, isUsed: false };
  }

  async #mount(context: KernelContext): Promise<void> {
    const path = normalizePath(this.#options.endpoint?.path ?? DEFAULT_PATH);
    // A cast, because services carry no types; this is the name ObjectStack gives its HTTP server.
    const server = context.getServices().get('http.server') as HttpServer | undefined;
    if (!server) {
      this.#logger.warn(
        `Sync: this kernel has no HTTP server. Mount kernel.syncProtocol.endpoint at ${path} yourself.`,
      );
      return;
    }
    const realtime = this.#options.endpoint?.realtime ?? false;
    mountOnHttpServer(server, { endpoint: this.endpoint, path, realtime });
    if (this.#serving.authenticate) return;
    this.#logger.warn(
      `Sync: ${path} is served to whoever reaches it. Pass 'authenticate' to SyncProtocolPlugin to know who is asking.`,
    );
  }

  async #prune(): Promise<void> {
    try {
      await this.#serving.handler.prune();
    } catch (error) {
      // If a shutdown has interrupted it, the next start prunes the rest.
      if (this.#destroyed !== undefined) return;
      this.#logger.warn('Sync: old deletes and outcomes could not be dropped; it is tried again in an hour.', error);
    }
  }
}

/** What requests meet: replaced as a whole when the kernel tells more. */
interface Serving {
  readonly handler: SyncHandler;
  readonly authenticate: Authenticate | undefined;
  readonly answerCall: AnswerCall;
  /** True once a request has come, or `handler` was read. */
  isUsed: boolean;
}

/** Nobody is served until the services that know users and permissions are there. */
function refuseAtStart(): never {
  const message = 'This server is starting. Nothing is lost; send the same request again.';
  throw new SyncRequestError('BUSY', message, { retryAfterMs: START_RETRY_MS });
}
