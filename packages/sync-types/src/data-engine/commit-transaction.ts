/** Transactions of the data engine that are committed when they are said to be. */
import { AS_SYSTEM, type DataEngine } from './data-engine.js';

/** The engine's own handle, and whether the transaction ends with this work or was joined. */
export interface EngineTransactionInfo {
  readonly transaction: unknown;
  readonly owned: boolean;
}

/**
 * Runs `work` in a transaction of the engine, or in that of the code that is running. One of its own is committed when this
 * resolves, and rolled back where it rejects.
 */
export async function commitTransaction<T>(
  engine: Pick<DataEngine, 'transaction'>,
  work: (info: EngineTransactionInfo) => Promise<T>,
): Promise<T> {
  let committed: Promise<unknown> | undefined;
  const result = await engine.transaction(
    ({ transaction }, { owned }) => {
      if (owned) committed = executionOf(transaction);
      // Where the engine rejects, nobody waits for it.
      committed?.catch(() => {});
      return work({ transaction, owned });
    },
    AS_SYSTEM,
    { require: true },
  );
  await committed;
  return result;
}

/**
 * What Knex, under ObjectStack's SQL drivers, settles at the end of a transaction: rejects where the commit failed, as where the
 * connection was lost before it; resolves at the commit, and also at a rollback. What the engine awaits resolves in each case.
 */
export function executionOf(transaction: unknown): Promise<unknown> | undefined {
  const { executionPromise } = Object(transaction) as { readonly executionPromise?: unknown };
  return executionPromise instanceof Promise ? executionPromise : undefined;
}

/** Has a transaction of somebody else's fail where it would commit: who begins it may have caught what happened in it. */
export function refuseCommit(transaction: unknown, reason: unknown): void {
  // What a transaction has by which its owner ends it is the driver's.
  const own = Object(transaction) as { commit: () => Promise<never>; readonly rollback?: () => Promise<unknown> };
  own.commit = async () => {
    // As behind a commit that a database refuses, which not everybody rolls back: the connection would never be free.
    await own.rollback?.().catch(() => {});
    // Knex's own would resolve for one that was rolled back already, as if all of it were there.
    throw reason;
  };
}
