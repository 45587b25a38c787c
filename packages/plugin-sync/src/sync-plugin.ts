/** Sync as a plugin of an ObjectStack kernel, and without one. */
import type { JsonObject, SyncPushResponse } from '@objectql/sync-types';
import { version } from '../package.json';
import { checkClientOptions } from './check-options.js';
import { ObjectConfigs, type ObjectConfigsOptions } from './object-configs.js';
import type { Platform } from './platform/platform.js';
import { systemPlatform } from './platform/system-platform.js';
import { SyncClient, type SyncClientOptions } from './sync-client.js';
import { SyncEngine } from './sync-engine.js';

/** A client with a `sync` block for each object. Unknown options throw `SyncUsageError` `INVALID_CONFIG`. */
export interface SyncPluginOptions extends SyncClientOptions, ObjectConfigsOptions {}

/** What a plugin uses of a kernel's context. */
export interface PluginContext {
  registerService(name: string, service: unknown): void;
  getKernel?(): unknown;
}

/**
 * One client for all objects. Ready after `new`; a kernel starts it and offers it as `kernel.sync`. Without a kernel,
 * close it at the end.
 *
 * ```ts
 * import { httpTransport } from '@objectql/plugin-sync';
 *
 * await using sync = new SyncPlugin({
 *   clientId: 'device-abc-123',
 *   transport: httpTransport({ url: 'https://api.example.com/api/sync' }),
 * });
 * sync.getEngine('task').records.create('task-1', { title: 'Paint the door' }); // sent a second later
 * ```
 */
export class SyncPlugin implements AsyncDisposable {
  readonly name = '@objectql/plugin-sync';
  readonly version = version;
  /** The client behind all engines: the status, the conflicts and the dead letters of all objects. */
  readonly client: SyncClient;
  /** The clock, ids and timers of its client, for plugins that sync as part of it. */
  readonly platform: Platform;
  readonly #engineByObject = new Map<string, SyncEngine>();

  constructor(options: SyncPluginOptions) {
    checkClientOptions(options, ['objects', 'defaultConfig']);
    const { defaultConfig, objects, ...clientOptions } = options;
    this.platform = options.platform ?? systemPlatform;
    this.client = new SyncClient(clientOptions, new ObjectConfigs({ defaultConfig, objects }));
  }

  /** The engine of an object; always the same one. You say the fields of its records: `getEngine<Task>('task')`. */
  getEngine<Fields extends object = JsonObject>(objectName: string): SyncEngine<Fields> {
    const known = this.#engineByObject.get(objectName);
    // The engine is the same, whatever fields the app declares.
    if (known) return known as SyncEngine<Fields>;
    const engine = new SyncEngine({ client: this.client, objectName });
    this.#engineByObject.set(objectName, engine);
    return engine as SyncEngine<Fields>;
  }

  /** The engines requested so far, by object name. */
  getAllEngines(): ReadonlyMap<string, SyncEngine> {
    return this.#engineByObject;
  }

  /**
   * Sends and receives everything of all objects, now. Resolves with the answer, or with `null` when sync failed (the
   * status and `onSyncError` say why; it tries again by itself), is paused, or had nothing to ask. Never rejects.
   */
  async syncAll(): Promise<SyncPushResponse | null> {
    return this.client.sync();
  }

  /** Offers this plugin as the kernel's `sync`. */
  init(context: PluginContext): void {
    context.registerService('sync', this);
    const kernel = context.getKernel?.();
    if (typeof kernel === 'object' && kernel !== null) Object.assign(kernel, { sync: this });
  }

  /** Begins the first sync in the background: a kernel also starts without a network. */
  async start(): Promise<void> {
    void this.client.sync();
  }

  /** Ends sync; recorded mutations are durable then. */
  async destroy(): Promise<void> {
    await this.client.close();
  }

  /** Ends sync and releases storage and timers. Recorded mutations are durable then; rejects when the storage fails. */
  async close(): Promise<void> {
    await this.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.destroy();
  }
}
