/** Follows every write of synced objects through the data engine, whoever makes it, so that each reaches all devices. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { RecordRef } from '@objectql/sync-types';
import {
  commitTransaction,
  type DataEngine,
  definedNameOf,
  type EngineFeed,
  type EngineOperation,
  executionOf,
  idsAfterInsert,
  idsBeforeWrite,
  isWrite,
} from '@objectql/sync-types/kernel';
import type { EngineStore } from './engine-store.js';

/** Which writes are followed. */
export interface Followed {
  readonly store: EngineStore;
  /** Asked at each write, because objects may start or stop being synced at any moment. */
  readonly isSynced: (objectName: string) => boolean;
  /** A function that notes a record written before the store is open; `undefined` once it is open. */
  readonly early: () => ((ref: RecordRef) => void) | undefined;
}

/**
 * Runs each write of a synced object in one transaction with its version and its place in the feed: the transaction of
 * the writing code, or else its own. A write that is rolled back was never in the feed, and a crash takes both or
 * neither. Returns the feed, for a client on the same engine.
 */
export function followWrites(engine: DataEngine, { store, isSynced, early }: Followed): EngineFeed {
  const around: EngineFeed['around'] = (work, given) => {
    if (early()) return work();
    // A write inside a followed one: a hook's, a cascade's, or sync's own. It is versioned with the rest, at the end.
    if (store.isInTransaction) return store.within(work);
    return store.around(work, given);
  };
  const outside = AsyncLocalStorage.snapshot();
  engine.registerMiddleware(async (operation, next) => {
    if (!isWrite(operation)) return next();
    const objectName = definedNameOf(operation, engine);
    if (!isSynced(objectName)) return next();
    const noteEarly = early();
    if (noteEarly) {
      const note = (recordId: string) => noteEarly({ objectName, recordId });
      return writeEarly(operation, { next, engine, touch: note }, outside);
    }
    const touch = (recordId: string) => store.touch({ objectName, recordId });
    return around(() => writeAndTouch(operation, { next, engine, touch }), operation.context?.transaction);
  });
  return { around };
}

interface Write {
  readonly next: () => Promise<void>;
  readonly engine: DataEngine;
  readonly touch: (recordId: string) => void;
}

/**
 * A write before sync follows any is noted again at the end of its transaction, which may come after sync has compared
 * what was noted until then. That is done `outside` of the transaction.
 */
async function writeEarly(operation: EngineOperation, write: Write, outside: <T>(work: () => T) => T): Promise<void> {
  const recordIds: string[] = [];
  const touch = (recordId: string) => {
    recordIds.push(recordId);
    write.touch(recordId);
  };
  try {
    await writeAndTouch(operation, { ...write, touch });
  } finally {
    const transaction = operation.context?.transaction ?? (await transactionAround(write.engine));
    const noteAgain = () => outside(() => recordIds.forEach(write.touch));
    void executionOf(transaction)?.then(noteAgain, () => {});
  }
}

/** The transaction of the running code, if there is one. */
async function transactionAround(engine: DataEngine): Promise<unknown> {
  let found: unknown;
  await commitTransaction(engine, async ({ transaction, owned }) => {
    if (!owned) found = transaction;
  }).catch(() => {
    // The write's own outcome counts.
  });
  return found;
}

async function writeAndTouch(operation: EngineOperation, { next, engine, touch }: Write): Promise<void> {
  const before = await idsBeforeWrite(operation, engine);
  try {
    await next();
  } finally {
    // Also after a failure: an error that a hook throws after the write does not undo it, unless the transaction ends
    // with it.
    for (const recordId of [...before, ...idsAfterInsert(operation)]) touch(recordId);
  }
}
