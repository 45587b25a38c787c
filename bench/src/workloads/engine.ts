/**
 * W8: what sync adds to an application on ObjectStack's data engine, which keeps everything in SQLite in memory. The yardstick
 * is the application without sync; what it writes is followed (`engine`), or comes from a device (`engine-push`).
 */
import { SyncProtocolPlugin } from '@objectql/protocol-sync';
import { createKernel } from '@objectql/protocol-sync/kernel';
import type { ObjectQL } from '@objectstack/objectql';
import type { Case, Measured } from '../case.js';
import { digestAfter, digestOf } from '../data/digest.js';
import { OBJECT_NAME, TASK_FIELDS, type TaskChange } from '../data/task.js';
import { pushData } from '../data/workload-data.js';
import { Meter } from '../process/meter.js';
import { timed } from './stopwatch.js';

/** What a client sends at most, and what an application writes in one transaction here. */
const BATCH = 1000;
const AS_SYSTEM = { context: { isSystem: true } } as const;

type Verb = 'create' | 'update';
type Write = (verb: Verb, changes: readonly TaskChange[]) => Promise<unknown>;

export async function engine(asked: Case): Promise<Measured> {
  const { existing, creates, updates } = pushData(asked.size);
  const app = await startApplication(asked);
  const writeAll = async (verb: Verb, changes: readonly TaskChange[]) => {
    for (let from = 0; from < changes.length; from += BATCH) await app.write(verb, changes.slice(from, from + BATCH));
  };
  await writeAll('create', existing);
  const meter = new Meter();
  await meter.start();
  const createMs = await timed(() => writeAll('create', creates));
  const updateMs = await timed(() => writeAll('update', updates));
  const used = await meter.stop();
  const isVerified = (await app.digest()) === digestAfter([...existing, ...creates, ...updates]);
  await app.stop();
  const ops = creates.length + updates.length;
  return { ops, ms: createMs + updateMs, parts: { createMs, updateMs }, used, isVerified };
}

async function startApplication({ contestant }: Case) {
  // Loaded here, as it takes seconds and no other workload needs it.
  const { SqliteWasmDriver } = await import('@objectstack/driver-sqlite-wasm');
  const { ObjectQLPlugin } = await import('@objectstack/objectql');
  const { DriverPlugin } = await import('@objectstack/runtime');
  const driver = new SqliteWasmDriver({ filename: ':memory:' });
  const sync = new SyncProtocolPlugin();
  // Casts: ObjectStack's plugins and engine have more of the same contract than is used here.
  const data = [new DriverPlugin(driver), new ObjectQLPlugin()] as readonly unknown[] as (typeof sync)[];
  const kernel = createKernel({
    plugins: [...data, APP, ...(contestant === 'raw-engine' ? [] : [sync])],
    config: { gracefulShutdown: false, logger: { level: 'silent' } },
  });
  await kernel.start();
  const objectql = kernel.getService<ObjectQL>('objectql');
  return {
    write: contestant === 'engine-push' ? deviceOf(sync) : applicationOf(objectql),
    async digest() {
      const rows = (await objectql.find(OBJECT_NAME, {}, AS_SYSTEM)) as readonly Record<string, unknown>[];
      return digestOf(
        rows.map((row) => [String(row.id), Object.fromEntries(TASK_FIELDS.map((name) => [name, row[name]]))]),
      );
    },
    async stop() {
      await kernel.shutdown();
      await driver.disconnect();
    },
  };
}

/** Writes in one transaction. */
function applicationOf(objectql: ObjectQL): Write {
  return (verb, changes) =>
    objectql.transaction(async () => {
      for (const [id, data] of changes) {
        if (verb === 'create') await objectql.insert(OBJECT_NAME, { id, ...data }, AS_SYSTEM);
        else await objectql.update(OBJECT_NAME, { id, ...data }, AS_SYSTEM);
      }
    });
}

/** Writes in pushes, until all is applied: one that takes long is cut short. */
function deviceOf({ handler }: SyncProtocolPlugin): Write {
  let sequence = 0;
  return async (operation, changes) => {
    let mutations = changes.map(([recordId, data]) => {
      sequence += 1;
      return {
        id: `mutation-${sequence}`,
        clientId: 'device',
        objectName: OBJECT_NAME,
        recordId,
        operation,
        data,
        timestamp: '2026-01-01T00:00:00.000Z',
        sequence,
        baseVersion: operation === 'create' ? null : 1,
      };
    });
    const envelope = {
      clientId: 'device',
      logId: 'device-log',
      protocol: 2,
      lastCheckpoint: null,
      pull: false,
    } as const;
    while (mutations.length > 0) {
      const { results } = await handler.handlePush({ ...envelope, mutations });
      const applied = new Set(results.flatMap(({ status, mutationId }) => (status === 'applied' ? [mutationId] : [])));
      if (applied.size === 0) throw new Error('No mutation was applied.');
      mutations = mutations.filter(({ id }) => !applied.has(id));
    }
  };
}

const TYPES: Readonly<Partial<Record<string, string>>> = {
  priority: 'number',
  estimate: 'number',
  updatedAt: 'number',
  done: 'boolean',
};

const APP = {
  name: 'app',
  version: '1.0.0',
  dependencies: ['com.objectstack.engine.objectql'],
  init(context: { getService<T>(name: string): T }) {
    const fields = TASK_FIELDS.map((name) => [name, { type: TYPES[name] ?? 'text', label: name }]);
    const task = { name: OBJECT_NAME, label: 'Task', sync: { enabled: true }, fields: Object.fromEntries(fields) };
    const manifest = { id: 'app.bench', name: 'bench', version: '1.0.0', type: 'app', objects: [task] };
    context.getService<{ register(manifest: object): void }>('manifest').register(manifest);
  },
};
