/** Drops what is older than the retention from the PostgreSQL store's tables. */
import { KEPT_EPOCHS } from '../epoch-watch.js';
import type { Int8 } from '../sql-rows.js';
import type { PruneSlice } from '../sync-store.js';
import { inTransaction, type PostgresSource } from './postgres-session.js';
import type { PostgresStatements } from './postgres-statements.js';

export interface PostgresPruneOptions {
  readonly statements: PostgresStatements;
  /** The lock with which the processes that prune this schema take turns. */
  readonly lockName: string;
}

/**
 * Drops one slice; answers how many rows it removed. Tombstones and ledger rows go in separate transactions, so that
 * the feed's row, which every writer needs, is locked for one short commit only. Does nothing while another process
 * prunes.
 */
export async function prunePostgres(
  source: PostgresSource,
  { before, limit }: PruneSlice,
  { statements, lockName }: PostgresPruneOptions,
): Promise<number> {
  const inTurn = (work: (query: Query) => Promise<number>) =>
    inTransaction(source, async (sql) => {
      const query: Query = async (text, values) => (await sql.rows(text, values.map(String)))[0];
      return (await query(statements.tryPruneLock, [lockName])) ? work(query) : 0;
    });
  const tombstones = await inTurn(async (query) => {
    const dropped = (await query(statements.dropTombstones, [before, limit])) as DroppedTombstones;
    if (dropped.floor !== null) await query(statements.raiseFloors, [dropped.floor, dropped.version_floor ?? 0]);
    return Number(dropped.count);
  });
  const rows = await inTurn(async (query) => {
    const dropped = (await query(statements.dropLedger, [before, limit])) as { count: Int8 };
    await query(statements.dropEpochs, [KEPT_EPOCHS]);
    return Number(dropped.count);
  });
  return tombstones + rows;
}

/** Answers a statement's first row; the caller casts it to what the statement selects. */
type Query = (text: string, values: readonly Int8[]) => Promise<unknown>;

interface DroppedTombstones {
  readonly count: Int8;
  readonly floor: Int8 | null;
  readonly version_floor: Int8 | null;
}
