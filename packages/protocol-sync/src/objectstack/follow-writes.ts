/** Follows every write of synced objects through the data engine, whoever makes it, so that each reaches all devices. */
import type { DataEngine, EngineOperation } from './data-engine.js';
import { AS_SYSTEM } from './data-engine.js';
import type { EngineStore } from './engine-store.js';

/** Which writes are followed. */
export interface Followed {
  readonly store: EngineStore;
  /** Asked at each write, because objects may be synced or not from one moment to the next. */
  readonly isSynced: (objectName: string) => boolean;
}

const WRITES = ['insert', 'update', 'delete'];

/**
 * Runs each write of a synced object in one transaction with its version and its place in the feed: that of the code that
 * writes, or else one of its own. What is rolled back was never in the feed, and a crash takes both or neither.
 */
export function followWrites(engine: DataEngine, { store, isSynced }: Followed): void {
  engine.registerMiddleware(async (operation, next) => {
    if (!WRITES.includes(operation.operation) || !isSynced(operation.object)) return next();
    const write = () => writeAndTouch(operation, { next, engine, store });
    // A write inside a followed one: a hook's, a cascade's, or sync's own. It is versioned with the rest, at the end.
    if (store.isInTransaction) return write();
    return store.around(write, operation.context?.transaction);
  });
}

interface Write {
  readonly next: () => Promise<void>;
  readonly engine: DataEngine;
  readonly store: EngineStore;
}

async function writeAndTouch(operation: EngineOperation, { next, engine, store }: Write): Promise<void> {
  const before = await idsBefore(operation, engine);
  await next();
  for (const recordId of [...before, ...idsOf(operation.result)])
    store.touch({ objectName: operation.object, recordId });
}

/** The records an update or delete is about to write. */
async function idsBefore(operation: EngineOperation, engine: DataEngine): Promise<readonly string[]> {
  if (operation.operation === 'insert') return [];
  const { ast, data, options, context } = operation;
  const id = idOf(data) ?? idOf(options?.where);
  if (!ast) return id === undefined ? [] : [id];
  // Many records: asked for before the write, because it may change by what they are found.
  const where = ast.where ?? options?.where;
  const rows = await engine.find(
    operation.object,
    { ...(where ? { where } : {}), fields: ['id'] },
    { context: { ...AS_SYSTEM, ...(context?.transaction ? { transaction: context.transaction } : {}) } },
  );
  return idsOf(rows);
}

/** The ids in what an insert answers: a record, many, or an outcome for each. */
function idsOf(result: unknown): readonly string[] {
  return [result]
    .flat()
    .flatMap((row) => idOf(row) ?? idOf((row as { readonly record?: unknown } | null)?.record) ?? []);
}

function idOf(value: unknown): string | undefined {
  const id = typeof value === 'object' && value !== null ? (value as { readonly id?: unknown }).id : undefined;
  return typeof id === 'string' ? id : undefined;
}
