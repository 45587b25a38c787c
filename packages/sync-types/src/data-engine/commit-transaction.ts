/** Transactions of the data engine that have really been committed when they resolve. */
import { AS_SYSTEM, type DataEngine } from './data-engine.js';

/** The engine's own handle, and whether the transaction ends with this work or was joined. */
export interface EngineTransactionInfo {
  readonly transaction: unknown;
  readonly owned: boolean;
}

/**
 * Runs `work` in a transaction of the engine, or in that of the running code. A transaction of its own is committed
 * when this resolves, and rolled back when it rejects.
 */
export async function commitTransaction<T>(
  engine: Pick<DataEngine, 'transaction'>,
  work: (info: EngineTransactionInfo) => Promise<T>,
): Promise<T> {
  let committed: Promise<unknown> | undefined;
  const result = await engine.transaction(
    ({ transaction }, { owned }) => {
      if (owned) committed = executionOf(transaction);
      // If the engine rejects, nobody awaits this one.
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
 * The promise that Knex, under ObjectStack's SQL drivers, settles at the end of a transaction: it rejects when the
 * commit failed, as when the connection was lost before it; it resolves at the commit, and also at a rollback. What the
 * engine awaits resolves in all these cases.
 */
export function executionOf(transaction: unknown): Promise<unknown> | undefined {
  const { executionPromise } = Object(transaction) as { readonly executionPromise?: unknown };
  return executionPromise instanceof Promise ? executionPromise : undefined;
}

/** Whether a transaction (one of Knex under ObjectStack's SQL drivers) belongs to PostgreSQL. */
export function isPostgres(transaction: unknown): boolean {
  const { client } = Object(transaction) as { readonly client?: { readonly dialect?: unknown } };
  return client?.dialect === 'postgresql';
}

/** Call it at a savepoint: what it returns takes back what was refused since, as a rollback to there takes back the work. */
export function keepCommit(transaction: unknown): () => void {
  const own = Object(transaction) as { commit?: unknown };
  const { commit } = own;
  return () => {
    own.commit = commit;
  };
}

/** Makes somebody else's transaction fail at its commit: its owner may have caught the error that happened in it. */
export function refuseCommit(transaction: unknown, reason: unknown): void {
  // The driver defines the methods by which the owner ends a transaction.
  const own = Object(transaction) as { commit: () => Promise<never>; readonly rollback?: () => Promise<unknown> };
  own.commit = async () => {
    // As after a commit that the database refuses: not every owner rolls back, and the connection would never be free.
    await own.rollback?.().catch(() => {});
    // Knex's own `commit` would resolve even after a rollback, as if everything were stored.
    throw reason;
  };
}
