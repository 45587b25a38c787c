/** The sync server as a plugin of an ObjectStack kernel, and without one. */
import { consoleLogger, type KernelContext, type KernelLogger, type KernelPlugin } from '@objectql/sync-types/kernel';
import { version } from '../package.json';
import { createSyncEndpoint, DEFAULT_PATH, type SyncEndpoint, type SyncEndpointOptions } from './http/sync-endpoint.js';
import { normalizePath } from './http/sync-route.js';
import { checkOptions } from './kernel/check-options.js';
import { type HttpServer, mountOnHttpServer } from './kernel/mount-on-http-server.js';
import { repeatInBackground } from './platform/repeat-in-background.js';
import { SyncHandler, type SyncHandlerOptions } from './sync-handler.js';

export interface SyncProtocolPluginOptions
  extends Omit<SyncHandlerOptions, 'changeLogRetentionDays'>,
    Pick<SyncEndpointOptions, 'resolver' | 'authenticate'> {
  readonly endpoint?: {
    /**
     * Whether the kernel's HTTP server, where it has one, serves sync. With `false` only your own routes do:
     * `handler` and `endpoint` work all the same.
     */
    readonly enabled: boolean;
    /** Default `/api/sync`. */
    readonly path?: string;
    /** Mutations in one push; what is beyond is answered `BATCH_TOO_LARGE`. Default 100. */
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
}

/** 1 h: what a retention counted in days lets go of is due at no exact time. */
const PRUNE_PAUSE_MS = 60 * 60 * 1000;

/**
 * The whole sync server. Ready after `new`; a kernel also mounts it on its HTTP server and prunes what the retention
 * lets go of. Without a kernel, call `handler.prune()` once a day.
 */
export class SyncProtocolPlugin implements KernelPlugin, SyncProtocol {
  readonly name = '@objectql/protocol-sync';
  readonly version = version;
  readonly providesServices = ['sync-protocol'];
  /** Takes pushes and pulls as values: what your own routes call. */
  readonly handler: SyncHandler;
  /** Takes them as web requests: what Hono, Bun, Deno and Workers call, and `toNodeHandler` turns into Express's. */
  readonly endpoint: SyncEndpoint;
  readonly #options: SyncProtocolPluginOptions;
  #logger: KernelLogger = consoleLogger;
  #stopPruning: (() => Promise<void>) | undefined;

  /** Throws `TypeError` for an option that is unknown or cannot be meant. */
  constructor(options: SyncProtocolPluginOptions = {}) {
    checkOptions(options);
    this.#options = options;
    const { endpoint, resolver, authenticate, ...handlerOptions } = options;
    const { maxMutationsPerRequest, maxConcurrentRequests, changeLogRetentionDays } = endpoint ?? {};
    const maxMutations = maxMutationsPerRequest === undefined ? {} : { maxMutations: maxMutationsPerRequest };
    this.handler = new SyncHandler({
      onWarning: ({ message, cause }) => this.#logger.warn(`Sync: ${message}`, ...(cause === undefined ? [] : [cause])),
      ...handlerOptions,
      limits: { ...options.limits, ...maxMutations },
      changeLogRetentionDays,
    });
    this.endpoint = createSyncEndpoint({
      handler: this.handler,
      resolver,
      authenticate,
      path: endpoint?.path,
      maxConcurrentRequests,
      realtime: endpoint?.realtime,
      platform: options.platform,
      onError: (error) => this.#logger.error('Sync: a request failed.', error),
    });
  }

  /** Adds `syncProtocol` to the kernel. */
  init(context: KernelContext): void {
    this.#logger = context.logger;
    const protocol: SyncProtocol = { handler: this.handler, endpoint: this.endpoint };
    context.registerService('sync-protocol', protocol);
    Object.defineProperty(context.getKernel(), 'syncProtocol', {
      value: protocol,
      configurable: true,
      enumerable: true,
    });
  }

  /** Mounts the endpoint where the kernel has an HTTP server, and begins to prune. */
  start(context: KernelContext): void {
    const server = context.getServices().get('http.server');
    // A cast, because services carry no types; this is the name ObjectStack gives its HTTP server.
    if (server && this.#options.endpoint?.enabled) this.#mount(server as HttpServer);
    this.#stopPruning = repeatInBackground(() => this.#prune(), PRUNE_PAUSE_MS);
  }

  /** Ends pruning and the streams, and closes the store. */
  async destroy(): Promise<void> {
    await this.#stopPruning?.();
    await this.handler.close();
  }

  #mount(server: HttpServer): void {
    const path = normalizePath(this.#options.endpoint?.path ?? DEFAULT_PATH);
    const realtime = this.#options.endpoint?.realtime ?? false;
    mountOnHttpServer(server, { endpoint: this.endpoint, path, realtime });
    if (this.#options.authenticate) return;
    this.#logger.warn(
      `Sync: ${path} is served to whoever reaches it. Pass 'authenticate' to SyncProtocolPlugin to know who is asking.`,
    );
  }

  async #prune(): Promise<void> {
    try {
      await this.handler.prune();
    } catch (error) {
      this.#logger.warn('Sync: old deletes and outcomes could not be dropped; it is tried again in an hour.', error);
    }
  }
}
