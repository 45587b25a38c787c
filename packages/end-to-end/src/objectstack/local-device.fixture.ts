/** A device of a test whose app writes and reads through a local data engine. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClientStorage, type Platform, SyncPlugin, type SyncTransport } from '@objectql/plugin-sync';
import { FileStorage } from '@objectql/plugin-sync/file';
import { createKernel } from '@objectql/plugin-sync/kernel';
import { DataEngineSync } from '@objectql/plugin-sync/objectstack';
import type { SyncHandler } from '@objectql/protocol-sync';
import type { SyncConfig } from '@objectql/sync-types';
import type { KernelContext, KernelPlugin } from '@objectql/sync-types/kernel';
import type { SqlDriver } from '@objectstack/driver-sql';
import { SqliteWasmDriver } from '@objectstack/driver-sqlite-wasm';
import { type ObjectQL, ObjectQLPlugin } from '@objectstack/objectql';
import { DriverPlugin } from '@objectstack/runtime';
import { onTestFinished } from 'vitest';
import { letGoOf } from '../../../protocol-sync/src/objectstack/ended-engine.fixture.js';

/** What the engine is asked as. */
export const system = { context: { isSystem: true } } as const;
const TASK = {
  name: 'task',
  label: 'Task',
  sync: { enabled: true },
  fields: {
    title: { type: 'text', label: 'Title', required: true },
    status: { type: 'text', label: 'Status', defaultValue: 'new' },
    photo: { type: 'image', label: 'Photo' },
  },
};
/** As ObjectStack's storage defines it. */
const FILE = { name: 'sys_file', label: 'File', fields: { status: { type: 'text', label: 'Status' } } };

/** An app's plugin that defines these objects. */
export function appOf(name: string, objects: readonly object[]): KernelPlugin {
  return {
    name,
    version: '1.0.0',
    dependencies: ['com.objectstack.engine.objectql'],
    init(context: KernelContext) {
      const manifest = { id: `app.${name}`, name, version: '1.0.0', type: 'app', objects };
      context.getService<{ register(manifest: object): void }>('manifest').register(manifest);
    },
  };
}

/** A device with a local data engine; everything it has is in `directory`. */
export async function startDevice(
  server: SyncHandler,
  {
    name,
    user,
    objects,
    object = 'task',
    synced,
    directory = temporaryDirectory(),
    plugins: others = [],
    lastPlugins = [],
    isSynced = true,
    isOffline = false,
    platform,
    storage = new FileStorage(join(directory, 'sync')),
    driver = new SqliteWasmDriver({ filename: join(directory, 'app.db') }),
  }: DeviceParts,
) {
  const network = { isOffline };
  const transport: SyncTransport = {
    push: (request) => (network.isOffline ? Promise.reject(new Error('offline')) : server.handlePush(request)),
  };
  const failures: string[] = [];
  const sync = new SyncPlugin({
    clientId: name,
    user,
    objects,
    transport,
    platform,
    storage,
    listeners: [{ onSyncError: ({ message }) => void failures.push(message) }],
  });
  const local = new DataEngineSync({ ...(synced ? { objects: synced } : {}) });
  // Casts: ObjectStack's plugins have more of the same contract than is used here.
  const data = [new DriverPlugin(driver), new ObjectQLPlugin()] as readonly unknown[] as readonly KernelPlugin[];
  const plugins: readonly KernelPlugin[] = [
    ...data,
    appOf('app', [{ ...TASK, name: object }, FILE]),
    ...others,
    // In the wrong order: the kernel is told what depends on what.
    ...(isSynced ? [local, sync as KernelPlugin] : []),
    ...lastPlugins,
  ];
  const kernel = createKernel({ plugins, config: { gracefulShutdown: false, logger: { level: 'silent' } } });
  await kernel.start();
  const engine = kernel.getService<ObjectQL>('objectql');
  const stop = async () => {
    await kernel.shutdown();
    await driver.disconnect();
    letGoOf(engine);
  };
  onTestFinished(stop);
  const tasks = async () => {
    await local.settled();
    const rows = (await engine.find(object, {}, system)) as readonly { id: string; title: string; status: string }[];
    return Object.fromEntries(rows.map(({ id, title, status }) => [id, `${title} (${status})`]));
  };
  const exchange = async () => {
    await sync.syncAll();
    await local.settled();
  };
  return { sync, local, engine, tasks, exchange, network, stop, directory, failures };
}

export interface Happening {
  readonly engine: ObjectQL;
  /** `start`, `destroy`, or an operation of the engine, as `find task`. */
  readonly event: string;
}

/** A plugin of the app that is told what happens. */
export function writer(tell: (happening: Happening) => unknown): KernelPlugin {
  let engine: ObjectQL;
  const outside = AsyncLocalStorage.snapshot();
  return {
    name: 'writer',
    version: '1.0.0',
    dependencies: ['app'],
    init(context: KernelContext) {
      engine = context.getService<ObjectQL>('objectql');
      engine.registerMiddleware(async ({ operation, object }, next) => {
        // Not awaited, so it must not join a transaction that may have ended by then.
        outside(() => void tell({ engine, event: `${operation} ${object}` }));
        await next();
      });
    },
    async start() {
      await tell({ engine, event: 'start' });
    },
    async destroy() {
      await tell({ engine, event: 'destroy' });
    },
  };
}

/** A plugin of the app through which the engine's operations go. */
export function passing(name: string, middleware: Parameters<ObjectQL['registerMiddleware']>[0]): KernelPlugin {
  return {
    name,
    version: '1.0.0',
    dependencies: ['app'],
    init: (context) => context.getService<ObjectQL>('objectql').registerMiddleware(middleware),
  };
}

/** What is told of an operation of the engine. */
export interface FailingOperation {
  readonly operation: string;
  readonly object: string;
  readonly data?: unknown;
  readonly context?: { readonly transaction?: unknown } | undefined;
}

/** A plugin of the app under which those operations of the engine fail that `isBroken` says. */
export function failing(isBroken: (operation: FailingOperation) => boolean): KernelPlugin {
  return passing('failing', async (operation, next) => {
    if (isBroken(operation)) throw new Error('The disk is full.');
    await next();
  });
}

/** A change of the task `t1` that did not come by sync. */
export function changeTitle(server: SyncHandler, title: string) {
  const data = { title, status: 'new' };
  return server.recordChange({ objectName: 'task', recordId: 't1', operation: 'update', data });
}

/** What makes a device. */
export interface DeviceParts {
  readonly name: string;
  readonly user?: string;
  readonly objects?: Readonly<Record<string, SyncConfig>>;
  /** What the app's object is called. Default: `task`. */
  readonly object?: string;
  /** The objects that are named to be synced. Default: what their definitions say. */
  readonly synced?: readonly string[];
  readonly directory?: string;
  /** The engine's database. Default: the file `app.db` in `directory`. */
  readonly driver?: SqliteWasmDriver | SqlDriver | undefined;
  /** More of the app's, which start before sync and end after it. */
  readonly plugins?: readonly KernelPlugin[];
  /** Given to the kernel behind all others. */
  readonly lastPlugins?: readonly KernelPlugin[];
  /** True for a device that starts without a network. */
  readonly isOffline?: boolean;
  /** Default: the system's. */
  readonly platform?: Platform;
  /** Default: the file `sync` in `directory`. */
  readonly storage?: ClientStorage;
  /** False for the app as it was before it had sync. */
  readonly isSynced?: boolean;
}

/** A directory that goes with the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'local-engine-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** What the server has of every task. */
export async function titlesAt(server: SyncHandler) {
  const { serverChanges } = await server.handlePull({ clientId: 'x', lastCheckpoint: null });
  return Object.fromEntries(serverChanges.map(({ recordId, data }) => [recordId, data?.title]));
}
