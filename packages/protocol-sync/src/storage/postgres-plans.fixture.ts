/** Many stored records, and what PostgreSQL tells of the statements that a store runs on them. */
import type pg from 'pg';
import { sampleState } from './contract/store-samples.js';
import type { PostgresFixture } from './postgres-database.fixture.js';
import type { PostgresPool } from './postgres-pool.js';
import { quoteSchema } from './postgres-schema.js';
import { encodeBookkeeping } from './record-encoding.js';
import type { SyncStore } from './sync-store.js';

export interface Statement {
  readonly text: string;
  readonly values: unknown[];
}

/** A step of a plan, as EXPLAIN describes it. What is counted is there when the statement was run. */
export interface Step {
  readonly 'Node Type': string;
  /** What PostgreSQL expects. */
  readonly 'Plan Rows'?: number;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Rows Removed by Filter'?: number;
  /** Pages of 8 KiB, those of the steps below included. */
  readonly 'Shared Hit Blocks'?: number;
  readonly 'Shared Read Blocks'?: number;
  readonly Plans?: readonly Step[];
}

/** How many rows there are of each table. */
export interface Filling {
  readonly records: number;
  readonly ledger: number;
  readonly logs: number;
  readonly intents: number;
}

/** Stores records `filled-1` … at places 1 …, without going through the store. */
export async function fill(
  { connect, schema }: PostgresFixture,
  { records, ledger, logs, intents }: Filling,
): Promise<void> {
  const pool = connect();
  const table = (name: string) => `${quoteSchema(schema)}.objectql_sync_${name}`;
  const state = sampleState();
  await pool.query(
    `INSERT INTO ${table('records')} (object_name, record_id, place, version, changed_at, data, bookkeeping)
    SELECT CASE WHEN n % 2 = 0 THEN 'task' ELSE 'project' END, to_json('filled-' || n)::text, n, 1, 1700000000000, $2, $3
    FROM generate_series(1, $1::int) AS n`,
    [records, JSON.stringify(state.data), encodeBookkeeping(state)],
  );
  await pool.query(
    `INSERT INTO ${table('ledger')} (mutation_id, log_id, sequence, object_name, record_id, content_hash, outcome, at)
    SELECT 'filled-' || n, 'log-' || n % $2, n, 'task', '"x"', 'hash', '{}', 1700000000000 FROM generate_series(1, $1::int) AS n`,
    [ledger, logs],
  );
  await pool.query(
    `INSERT INTO ${table('logs')} SELECT 'log-' || n, null, 0, 0 FROM generate_series(0, $1::int - 1) AS n`,
    [logs],
  );
  await pool.query(
    `INSERT INTO ${table('intents')} SELECT 'task', to_json('filled-' || n)::text, 'null' FROM generate_series(1, $1::int) AS n`,
    [intents],
  );
  await pool.query(`UPDATE ${table('feed')} SET head = $1`, [records]);
  for (const name of ['records', 'ledger', 'logs', 'intents']) await pool.query(`VACUUM ANALYZE ${table(name)}`);
}

/** A store with that much in it, and what is run on it from now on. */
export async function openFilled(
  opened: PostgresFixture,
  filling: Filling,
): Promise<{ readonly store: SyncStore; readonly pool: pg.Pool; readonly statements: Statement[] }> {
  await fill(opened, filling);
  const pool = opened.connect();
  const statements: Statement[] = [];
  const store = await opened.openStore({ pool: recording(pool, statements) });
  statements.length = 0;
  return { store, pool, statements };
}

/** The statement's plan, run and rolled back. */
export async function explain(pool: pg.Pool, { text, values }: Statement): Promise<Step> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    // What was inserted in the real run would be refused as there already.
    const options = /INSERT/.test(text) ? 'FORMAT JSON' : 'ANALYZE, BUFFERS, FORMAT JSON';
    const { rows } = await client.query(`EXPLAIN (${options}) ${text}`, values);
    return rows[0]['QUERY PLAN'][0].Plan;
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
}

/** The plan's steps, from the top. */
export function stepsOf(plan: Step): readonly Step[] {
  return [plan, ...(plan.Plans ?? []).flatMap(stepsOf)];
}

/** Rows of the store's tables that the plan's scans read, those included that a filter then dropped. */
export function rowsRead(steps: readonly Step[]): number {
  return steps
    .filter((step) => step['Relation Name'] !== undefined && step['Relation Name'] !== 'objectql_sync_feed')
    .reduce((sum, step) => {
      const rows = (step['Actual Rows'] ?? 0) + (step['Rows Removed by Filter'] ?? 0);
      return sum + rows * (step['Actual Loops'] ?? 0);
    }, 0);
}

/** Pages of 8 KiB that the plan looked at, wherever they were. */
export function pagesRead(plan: Step): number {
  return (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0);
}

/** The pool, noting what is run on it. */
export function recording(pool: pg.Pool, statements: Statement[]): PostgresPool {
  return {
    on: (event, listener) => pool.on(event, listener),
    removeListener: (event, listener) => pool.removeListener(event, listener),
    async connect() {
      const client = await pool.connect();
      return {
        on: (event, listener) => client.on(event as 'error', listener),
        removeListener: (event, listener) => client.removeListener(event, listener),
        release: (error) => client.release(error),
        query(text, values = []) {
          statements.push({ text, values });
          return client.query(text, values);
        },
      };
    },
  };
}
