/** Follows every write of synced objects through the data engine, whoever makes it, so that each reaches all devices. */
import {
  type DataEngine,
  type EngineOperation,
  idsAfterInsert,
  idsBeforeWrite,
  isWrite,
} from '@objectql/sync-types/kernel';
import type { EngineStore } from './engine-store.js';

/** Which writes are followed. */
export interface Followed {
  readonly store: EngineStore;
  /** Asked at each write, because objects may be synced or not from one moment to the next. */
  readonly isSynced: (objectName: string) => boolean;
}

/**
 * Runs each write of a synced object in one transaction with its version and its place in the feed: that of the code that
 * writes, or else one of its own. What is rolled back was never in the feed, and a crash takes both or neither.
 */
export function followWrites(engine: DataEngine, { store, isSynced }: Followed): void {
  engine.registerMiddleware(async (operation, next) => {
    if (!isWrite(operation) || !isSynced(operation.object)) return next();
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
  const before = await idsBeforeWrite(operation, engine);
  await next();
  const objectName = operation.object;
  for (const recordId of [...before, ...idsAfterInsert(operation)]) store.touch({ objectName, recordId });
}
