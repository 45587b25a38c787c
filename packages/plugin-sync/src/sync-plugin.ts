/** Sync as a plugin of an ObjectStack kernel, and without one. */
import type { SyncConfig, SyncPushResponse } from '@objectql/sync-types';
import { ObjectConfigs, type ObjectConfigsOptions } from './object-configs.js';
import { SyncClient, type SyncClientOptions } from './sync-client.js';
import { SyncEngine } from './sync-engine.js';
import { SyncUsageError } from './sync-usage-error.js';

export interface SyncPluginOptions extends SyncClientOptions, Pick<ObjectConfigsOptions, 'objects'> {
  /** For objects without a configuration of their own. Default: enabled, with all defaults. */
  readonly defaultConfig?: SyncConfig | undefined;
}

/** What a plugin uses of a kernel's context. */
export interface PluginContext {
  registerService(name: string, service: unknown): void;
  getKernel?(): unknown;
}

const OPTIONS: readonly string[] = [
  'clientId',
  'transport',
  'storage',
  'onConflict',
  'listeners',
  'user',
  'platform',
  'objects',
  'defaultConfig',
] satisfies readonly (keyof SyncPluginOptions)[];

/** One client for all objects. Ready after `new`; a kernel starts it and offers it as `kernel.sync`. */
export class SyncPlugin implements AsyncDisposable {
  readonly name = '@objectql/plugin-sync';
  readonly version = '1.0.0';
  readonly client: SyncClient;
  readonly #engineByObject = new Map<string, SyncEngine>();

  constructor(options: SyncPluginOptions) {
    const unknown = Object.keys(options).find((key) => !OPTIONS.includes(key));
    if (unknown) throw new SyncUsageError('INVALID_CONFIG', `${unknown} is no option. Known: ${OPTIONS.join(', ')}.`);
    const { defaultConfig = { enabled: true }, objects, ...clientOptions } = options;
    this.client = new SyncClient(clientOptions, new ObjectConfigs({ defaultConfig, objects }));
  }

  /** The engine of an object; always the same one. */
  getEngine(objectName: string): SyncEngine {
    const known = this.#engineByObject.get(objectName);
    if (known) return known;
    const engine = new SyncEngine({ client: this.client, objectName });
    this.#engineByObject.set(objectName, engine);
    return engine;
  }

  /** The engines that were asked for so far, by object name. */
  getAllEngines(): ReadonlyMap<string, SyncEngine> {
    return this.#engineByObject;
  }

  /** Sends and receives all there is, of all objects. */
  async syncAll(): Promise<SyncPushResponse | null> {
    return this.client.sync();
  }

  /** Offers this plugin as the kernel's `sync`. */
  init(context: PluginContext): void {
    context.registerService('sync', this);
    const kernel = context.getKernel?.();
    if (typeof kernel === 'object' && kernel !== null) {
      Object.defineProperty(kernel, 'sync', { value: this, configurable: true, enumerable: true });
    }
  }

  /** Opens the storage and syncs for the first time, in the background. */
  async start(): Promise<void> {
    await this.client.open();
    void this.client.sync();
  }

  /** Ends sync; what was recorded is durable then. */
  async destroy(): Promise<void> {
    await this.client.close();
  }

  async close(): Promise<void> {
    await this.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.destroy();
  }
}
