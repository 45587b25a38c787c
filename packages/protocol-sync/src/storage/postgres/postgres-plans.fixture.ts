/** Many stored records, and what PostgreSQL tells of the statements that a store runs on them. */
import type { EventEmitter } from 'node:events';
import type pg from 'pg';
import { sampleState } from '../contract/store-samples.js';
import { encodeBookkeeping } from '../record-encoding.js';
import type { SyncStore } from '../sync-store.js';
import type { PostgresFixture } from './postgres-database.fixture.js';
import { quoteSchema } from './postgres-schema.js';

/** How a statement was run. */
export interface Plan {
  readonly text: string;
  readonly top: Step;
}

/** A step of a plan, as EXPLAIN describes it. */
export interface Step {
  readonly 'Node Type': string;
  /** What PostgreSQL expects. */
  readonly 'Plan Rows'?: number;
  readonly 'Relation Name'?: string;
  readonly 'Function Name'?: string;
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

/** A store with that much in it, and the plans of what is run on it from now on. */
export async function openFilled(
  opened: PostgresFixture,
  filling: Filling,
): Promise<{ readonly store: SyncStore; readonly plans: Plan[] }> {
  await fill(opened, filling);
  const plans: Plan[] = [];
  const store = await opened.openStore({ pool: explaining(opened, plans) });
  plans.length = 0;
  return { store, plans };
}

/** A pool that notes how each statement was run on it, those in functions included. */
function explaining({ connect }: PostgresFixture, plans: Plan[]): pg.Pool {
  const settings = {
    session_preload_libraries: 'auto_explain',
    'auto_explain.log_min_duration': '0',
    'auto_explain.log_nested_statements': 'on',
    'auto_explain.log_analyze': 'on',
    'auto_explain.log_buffers': 'on',
    'auto_explain.log_timing': 'off',
    'auto_explain.log_format': 'json',
    client_min_messages: 'log',
  };
  const options = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  const pool = connect({ options: options.join(' ') });
  pool.on('connect', (client) => {
    client.on('notice', ({ message = '' }) => {
      const [, json] = message.split('plan:\n');
      if (json === undefined) return;
      const { 'Query Text': text, Plan: top } = JSON.parse(json) as { 'Query Text': string; Plan: Step };
      // The call of a function counts what is done in it once more.
      if (!stepsOf(top).some((step) => step['Function Name']?.startsWith('objectql_sync'))) plans.push({ text, top });
    });
  });
  return pool;
}

/** The one plan of a statement that has this in its text. */
export function planOf(plans: readonly Plan[], part: string): Step {
  const found = plans.filter(({ text }) => text.includes(part));
  const [plan] = found;
  if (!plan || found.length > 1) throw new Error(`${found.length} statements have this in them: ${part}`);
  return plan.top;
}

/** The plan's steps, from the top. */
export function stepsOf(plan: Step): readonly Step[] {
  return [plan, ...(plan.Plans ?? []).flatMap(stepsOf)];
}

/** Rows of the store's tables that the plan's scans read, those included that a filter then dropped. */
export function rowsRead(steps: readonly Step[]): number {
  return steps
    .filter(({ 'Node Type': type, 'Relation Name': table = 'objectql_sync_feed' }) => {
      return type !== 'ModifyTable' && table !== 'objectql_sync_feed';
    })
    .reduce((sum, step) => {
      const rows = (step['Actual Rows'] ?? 0) + (step['Rows Removed by Filter'] ?? 0);
      return sum + rows * (step['Actual Loops'] ?? 0);
    }, 0);
}

/** Pages of 8 KiB that the plan looked at, wherever they were. */
export function pagesRead(plan: Step): number {
  return (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0);
}

/** A pool, and how often it waited for the database's answer since it was last asked. */
export function counting({ connect }: PostgresFixture): { readonly pool: pg.Pool; readonly roundTrips: () => number } {
  const pool = connect();
  let count = 0;
  pool.on('connect', (client) => {
    // Not in the types of `pg`: the messages of the server, of which this one ends each answer.
    const { connection } = client as unknown as { readonly connection: EventEmitter };
    connection.on('readyForQuery', () => {
      count += 1;
    });
  });
  return {
    pool,
    roundTrips() {
      const counted = count;
      count = 0;
      return counted;
    },
  };
}
