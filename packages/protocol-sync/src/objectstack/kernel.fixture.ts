/** ObjectStack's kernel with its data engine on a real database, for tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataEngine, KernelContext, KernelPlugin } from '@objectql/sync-types/kernel';
import { SqliteWasmDriver } from '@objectstack/driver-sqlite-wasm';
import { type ObjectQL, ObjectQLPlugin } from '@objectstack/objectql';
import { DriverPlugin } from '@objectstack/runtime';
import { createKernel } from '../kernel/node.js';
import { letGoOf } from './ended-engine.fixture.js';

export interface KernelParts {
  /** The application's objects. */
  readonly objects: readonly object[];
  readonly plugins?: readonly KernelPlugin[];
  /** A file, written when it is stopped. Default: a database in memory. */
  readonly filename?: string;
  /** Another database than that. */
  readonly driver?: { disconnect(): Promise<void> } | undefined;
}

/** A kernel with a data engine, started. */
export async function startKernel({ objects, plugins = [], filename = ':memory:', ...parts }: KernelParts) {
  const driver = parts.driver ?? new SqliteWasmDriver({ filename });
  // Casts: ObjectStack's plugins have more of the same contract than is used here.
  const data = [new DriverPlugin(driver), new ObjectQLPlugin()] as readonly unknown[] as readonly KernelPlugin[];
  const kernel = createKernel({
    plugins: [...data, appOf(objects), ...plugins],
    // Without signal handlers, of which each kernel would leave some behind.
    config: { gracefulShutdown: false, logger: { level: 'silent' } },
  });
  await kernel.start();
  const engine = kernel.getService<DataEngine>('objectql');
  const stop = async () => {
    await kernel.shutdown();
    await driver.disconnect();
    letGoOf(engine);
  };
  return { kernel, stop, engine };
}

/** A plugin of the application that starts before sync does. */
export function startingFirst(start: (engine: ObjectQL) => void | Promise<void>): KernelPlugin {
  return {
    name: 'first',
    version: '1.0.0',
    dependencies: ['app'],
    init() {},
    start: (context) => start(context.getService<ObjectQL>('objectql')),
  };
}

/** A name for a file in a new directory, and what deletes it. */
export function temporaryDatabase(): { readonly filename: string; readonly remove: () => void } {
  const directory = mkdtempSync(join(tmpdir(), 'objectstack-'));
  return { filename: join(directory, 'app.db'), remove: () => rmSync(directory, { recursive: true }) };
}

function appOf(objects: readonly object[]): KernelPlugin {
  return {
    name: 'app',
    version: '1.0.0',
    dependencies: ['com.objectstack.engine.objectql'],
    init(context: KernelContext) {
      const manifest = { id: 'app.test', name: 'test', version: '1.0.0', type: 'app', objects };
      context.getService<{ register(manifest: object): void }>('manifest').register(manifest);
    },
  };
}
