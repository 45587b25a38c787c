/**
 * Sync of a local ObjectStack data engine, on Node and edge: the application writes and reads through the engine as ever.
 * The package's `/objectstack` entry.
 *
 * ```text
 * engine.insert ─▶ record + outbox, one transaction ─▶ mutation in the log ─▶ server
 * engine.find   ◀─ record, one transaction each     ◀─ what the user sees: base + pending
 * ```
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type DataEngine,
  definedNameOf,
  ENGINE_FEED,
  type EngineFeed,
  isWrite,
  type KernelContext,
  type KernelPlugin,
} from '@objectql/sync-types/kernel';
import { version } from '../../package.json';
import type { SyncPlugin } from '../sync-plugin.js';
import type { EngineParts } from './engine-parts.js';
import { EngineRecorder } from './engine-recorder.js';
import { EngineTurns } from './engine-turns.js';
import { EngineWriter } from './engine-writer.js';
import { defineLocalObjects } from './local-objects.js';
import { Outbox } from './outbox.js';
import { ShownVersions } from './shown-versions.js';

/** Which objects of the local data engine take part. */
export interface DataEngineSyncOptions {
  /** The objects to sync. Default: those whose definitions say `sync: { enabled: true }`. */
  readonly objects?: readonly string[] | undefined;
}

/** A plugin beside `SyncPlugin`, on a kernel with the service `objectql`. */
export class DataEngineSync implements KernelPlugin {
  readonly name = '@objectql/plugin-sync/objectstack';
  readonly version = version;
  readonly dependencies = ['@objectql/plugin-sync', 'com.objectstack.engine.objectql'];
  /** If present, it comes first: what is written here, also past hooks, is then written within its turn. */
  readonly optionalDependencies = ['@objectql/protocol-sync'];
  readonly #options: DataEngineSyncOptions;
  /** The async context around `new`: in no transaction. */
  readonly #outside = AsyncLocalStorage.snapshot();
  /** The objects whose records are written here as the server has them. */
  #names: readonly string[] = [];
  #parts: Parts | undefined;
  #stops: readonly (() => void)[] = [];

  constructor(options: DataEngineSyncOptions = {}) {
    this.#options = options;
  }

  /**
   * Defines the objects for sync's notes, so that the engine makes their tables when it starts, and begins to note:
   * other plugins may write in their `start` before this one's, and in their `destroy` after this one's.
   */
  init(context: KernelContext): void {
    const engine = context.getService<DataEngine>('objectql');
    const { client, platform } = context.getService<SyncPlugin>('sync');
    // A cast, because services carry no types.
    const feed = context.getServices().get(ENGINE_FEED) as EngineFeed | undefined;
    defineLocalObjects(engine);
    const parts: EngineParts = {
      engine,
      client,
      platform,
      turns: new EngineTurns(engine, feed, this.#outside),
      outbox: new Outbox(engine, { client, platform }),
      shown: new ShownVersions(client.log),
      onFailed: (error) => client.listeners.report(error),
      outside: this.#outside,
    };
    const writer = new EngineWriter(parts);
    const recorder = new EngineRecorder(parts);
    this.#parts = { engine, client, writer, recorder };
    const listener = { onSyncComplete: () => writer.catchUp(this.#names) && this.settled() };
    client.listeners.add(listener);
    this.#stops = [() => client.listeners.remove(listener)];
    // Before any plugin is destroyed: a kernel that was given the client behind this plugin closes it first.
    context.hook('kernel:shutdown', () => this.destroy());
    noting.set(engine, this);
    engine.registerMiddleware((operation, next) => {
      if (!isWrite(operation)) return next();
      const objectName = definedNameOf(operation, engine);
      if (!this.#isNoting(engine, objectName)) return next();
      return (writer.isWriting ? writer : recorder).carryOut(operation, objectName, next);
    });
  }

  /** Records earlier notes and existing records, and begins to write what the server sends. */
  async start(): Promise<void> {
    const { engine, client, writer, recorder } = this.#started();
    const names =
      this.#options.objects ??
      engine.registry
        .getAllObjects()
        .filter(isSynced)
        .map(({ name }) => name);
    // The registry finds an object named `crm__task` as `task` too; its writes are noted by its name alone.
    const unknown = names.find((name) => engine.registry.getObject(name)?.name !== name);
    if (unknown) throw new Error(`Sync: there is no object '${unknown}' in the local data engine. Define it there.`);
    // A write that is not allowed would wait in the outbox for ever, and block the server's changes of its record.
    await recorder.enrol(names.filter((name) => !client.configs.refusalOf(name)));
    await recorder.drain();
    // The client keeps no records of push-only objects, so there is nothing to write: the engine's own records stay.
    this.#names = names.filter((name) => client.configs.keepsRecordsOf(name));
    const stops = this.#names.map((name) => client.records.watchAll(name, (records) => writer.write(name, records)));
    this.#stops = [...this.#stops, ...stops];
  }

  /**
   * Resolves once the engine has everything that sync knew at the time of the call. Do not await it in a transaction or a
   * hook: sync writes when that has ended.
   */
  async settled(): Promise<void> {
    const { client, writer } = this.#started();
    for (const name of this.#names) await writer.write(name, await client.records.list(name));
  }

  /** Ends recording and writing. What is committed but not recorded, now or later, is recorded at the next start. */
  async destroy(): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#stops = [];
    await this.#parts?.recorder.close();
    await this.#parts?.writer.close();
  }

  /** Whether this plugin notes writes of the object: only the newest plugin on an engine does. */
  #isNoting(engine: DataEngine, objectName: string): boolean {
    if (noting.get(engine) !== this) return false;
    const { objects } = this.#options;
    return objects ? objects.includes(objectName) : isSynced(engine.registry.getObject(objectName));
  }

  #started(): Parts {
    if (!this.#parts) throw new Error('DataEngineSync is no plugin of a kernel yet. Give it to createKernel.');
    return this.#parts;
  }
}

/**
 * The newest plugin on each engine: middleware cannot be removed from an engine, and two would note each write twice.
 */
const noting = new WeakMap<DataEngine, DataEngineSync>();

interface Parts {
  readonly engine: DataEngine;
  readonly client: SyncPlugin['client'];
  readonly writer: EngineWriter;
  readonly recorder: EngineRecorder;
}

function isSynced(object: { readonly sync?: unknown } | undefined): boolean {
  const sync = object?.sync;
  return typeof sync === 'object' && sync !== null && (sync as { readonly enabled?: unknown }).enabled === true;
}
