/** The SQLite of one of Cloudflare's Durable Objects, as a database handle. */

/**
 * What sync uses of the storage of a Durable Object, `ctx.storage`, whose class was created with SQLite. An
 * `exec` may be refused, and so may a transaction: their errors are thrown on.
 */
export interface DurableObjectSql {
  readonly sql: { exec(sql: string, ...values: unknown[]): { toArray(): unknown[] } };
  /** Runs `work` in a transaction, or in a savepoint of the one that is open. Rolls it back when `work` rejects. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** The same in one turn. */
  transactionSync<T>(work: () => T): T;
}

/** Behaves as the handles of SQLite drivers do, but for BEGIN, COMMIT, SAVEPOINT and settings, which the platform refuses. */
export class DurableObjectDatabase {
  readonly storage: DurableObjectSql;

  constructor(storage: DurableObjectSql) {
    this.storage = storage;
  }

  exec(sql: string): void {
    this.storage.sql.exec(sql);
  }

  prepare(sql: string) {
    const all = (...values: readonly unknown[]) => this.storage.sql.exec(sql, ...values).toArray();
    return { run: all, get: (...values: readonly unknown[]): unknown => all(...values)[0], all };
  }
}

/** The database in what an app handed in: a driver's handle, or the storage of a Durable Object. */
export function sqliteDatabase<Handle>(given: Handle | DurableObjectSql): Handle | DurableObjectDatabase {
  return isDurableObjectSql(given) ? new DurableObjectDatabase(given) : given;
}

function isDurableObjectSql(given: unknown): given is DurableObjectSql {
  // No driver's handle has it.
  return 'transactionSync' in Object(given);
}
