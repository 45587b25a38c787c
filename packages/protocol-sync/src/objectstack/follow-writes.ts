/** Follows every write of synced objects through the data engine, whoever makes it, so that each reaches all devices. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { RecordRef } from '@objectql/sync-types';
import {
  type DataEngine,
  definedNameOf,
  type EngineFeed,
  type EngineOperation,
  executionOf,
  idsAfterInsert,
  idsBeforeWrite,
  isWrite,
  transactionAround,
} from '@objectql/sync-types/kernel';
import type { EngineStore } from './engine-store.js';

/** Which writes are followed. */
export interface Followed {
  readonly store: EngineStore;
  /** Asked at each write, because objects may start or stop being synced at any moment. */
  readonly isSynced: (objectName: string) => boolean;
  /** True until the store is open. */
  readonly isEarly: () => boolean;
  /** Versions records that were written without; those of early writes once the store is open. */
  readonly compareLater: (refs: readonly RecordRef[]) => void;
}

/**
 * Runs each write of a synced object in one transaction with its version and its place in the feed: the transaction of
 * the writing code, or else its own. A write that is rolled back was never in the feed, and a crash takes both or
 * neither. Returns the feed, for a client on the same engine.
 */
export function followWrites(engine: DataEngine, followed: Followed): EngineFeed {
  const { store, isSynced, isEarly } = followed;
  const around: EngineFeed['around'] = (work, given) => (isEarly() ? work() : store.around(work, given));
  const outside = AsyncLocalStorage.snapshot();
  engine.registerMiddleware(async (operation, next) => {
    if (!isWrite(operation)) return next();
    const objectName = definedNameOf(operation, engine);
    if (!isSynced(objectName)) return next();
    const compareLater = (recordIds: readonly string[]) =>
      outside(() => followed.compareLater(recordIds.map((recordId) => ({ objectName, recordId }))));
    if (isEarly()) return writeEarly(operation, { next, engine, compareLater });
    const surrounding = await keptOutOf(operation, engine);
    if (surrounding) return writeKeptOut(operation, { next, engine, compareLater }, surrounding);
    const touch = (recordIds: readonly string[]) => {
      for (const recordId of recordIds) store.touch({ objectName, recordId });
    };
    return around(() => writeAndTell(operation, { next, engine }, touch), operation.context?.transaction);
  });
  return { around };
}

interface Write {
  readonly next: () => Promise<void>;
  readonly engine: DataEngine;
}

/** A write whose records are versioned by themselves. */
interface LateWrite extends Write {
  readonly compareLater: (recordIds: readonly string[]) => void;
}

/**
 * A write before sync follows any is compared again at the end of its transaction, which may come after sync has compared
 * what was written until then.
 */
async function writeEarly(operation: EngineOperation, { compareLater, ...write }: LateWrite): Promise<void> {
  await writeAndTell(operation, write, async (recordIds) => {
    compareLater(recordIds);
    const transaction = operation.context?.transaction ?? (await surroundingOf(write));
    void executionOf(transaction)?.then(
      () => compareLater(recordIds),
      () => {},
    );
  });
}

/**
 * The running code's transaction, if the transaction `null` keeps the write out of it. Where that code is in none, it is a
 * write like any other.
 */
async function keptOutOf(operation: EngineOperation, engine: DataEngine): Promise<unknown> {
  if (operation.context?.transaction !== null) return undefined;
  const surrounding = await surroundingOf({ engine });
  const { transaction: _, ...context } = operation.context;
  if (!surrounding) Object.assign(operation, { context });
  return surrounding;
}

/** It cannot wait for the feed, which the running code's transaction may hold. So it is versioned behind that one. */
async function writeKeptOut(
  operation: EngineOperation,
  { compareLater, ...write }: LateWrite,
  surrounding: unknown,
): Promise<void> {
  await writeAndTell(operation, write, (recordIds) => {
    const compare = () => compareLater(recordIds);
    void executionOf(surrounding)?.then(compare, compare);
  });
}

/** The transaction of the running code, if one is found: the write's own outcome counts. */
function surroundingOf({ engine }: Pick<Write, 'engine'>): Promise<unknown> {
  return transactionAround(engine).catch(() => undefined);
}

/** Makes the write, and tells which records it may have written. */
async function writeAndTell(
  operation: EngineOperation,
  { next, engine }: Write,
  tell: (recordIds: readonly string[]) => void | Promise<void>,
): Promise<void> {
  const before = await idsBeforeWrite(operation, engine);
  try {
    await next();
  } finally {
    // Also after a failure: an error that a hook throws after the write does not undo it, unless the transaction ends
    // with it.
    await tell([...before, ...idsAfterInsert(operation)]);
  }
}
