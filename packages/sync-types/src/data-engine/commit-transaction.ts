/** Transactions of the data engine that have really been committed when they resolve. */
import { AS_SYSTEM, type DataEngine } from './data-engine.js';
import { UnderWay } from './under-way.js';

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

/** The transaction of the running code, if there is one. */
export function transactionAround(engine: Pick<DataEngine, 'transaction'>): Promise<unknown> {
  return commitTransaction(engine, async ({ transaction, owned }) => (owned ? undefined : transaction));
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
  const guard = guardOf(transaction);
  const { refused } = guard;
  return () => {
    guard.refused = refused;
  };
}

/** Makes somebody else's transaction fail at its commit: its owner may have caught the error that happened in it. */
export function refuseCommit(transaction: unknown, reason: unknown): void {
  guardOf(transaction).refused = { reason };
}

/** Lets somebody else's transaction commit only behind `work` in it, which its owner may not have awaited. */
export function holdCommit<T>(transaction: unknown, work: Promise<T>): Promise<T> {
  return guardOf(transaction).underWay.add(work);
}

/**
 * Runs `work` in somebody else's transaction just before it commits, perhaps several times. If it rejects, the transaction
 * is rolled back, and its owner's commit rejects with the same error.
 */
export function beforeCommit(transaction: unknown, work: () => Promise<void>): void {
  guardOf(transaction).lastWorks.push(work);
}

/** What stands before the commit of a transaction. */
interface CommitGuard {
  readonly underWay: UnderWay;
  readonly lastWorks: (() => Promise<void>)[];
  refused: { readonly reason: unknown } | undefined;
}

/** On the transaction itself, for whichever copy of this code looks at it. */
const GUARD = Symbol.for('@objectql/sync-types/commit-guard');

function guardOf(transaction: unknown): CommitGuard {
  // The driver defines the methods by which the owner ends a transaction.
  const own = Object(transaction) as {
    [GUARD]?: CommitGuard;
    commit: (...args: unknown[]) => Promise<unknown>;
    readonly rollback?: (reason: unknown) => Promise<unknown>;
  };
  if (own[GUARD]) return own[GUARD];
  const guard: CommitGuard = { underWay: new UnderWay(), lastWorks: [], refused: undefined };
  const { commit } = own;
  own[GUARD] = guard;
  own.commit = async (...args) => {
    try {
      await standBefore(guard);
    } catch (reason) {
      // As after a commit that the database refuses: not every owner rolls back, and the connection would never be free.
      // With the reason: a Knex callback's transaction, too, would resolve after a rollback without.
      await own.rollback?.(reason).catch(() => {});
      // Knex's own `commit` would resolve even after a rollback, as if everything were stored.
      throw reason;
    }
    return commit.apply(own, args);
  };
  return guard;
}

async function standBefore(guard: CommitGuard): Promise<void> {
  // Again while what was written last has begun something.
  do {
    await guard.underWay.ended();
    if (guard.refused) throw guard.refused.reason;
    for (const work of guard.lastWorks) await work();
  } while (guard.refused || !guard.underWay.isEmpty);
}
