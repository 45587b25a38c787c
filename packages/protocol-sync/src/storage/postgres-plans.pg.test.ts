import type pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { look, sampleIntent, sampleLog, sampleRow, sampleState, save, task } from './contract/store-samples.js';
import { openPostgresFixture, type PostgresFixture } from './postgres-database.fixture.js';
import type { PostgresPool } from './postgres-pool.js';
import { quoteSchema } from './postgres-schema.js';
import { encodeBookkeeping } from './record-encoding.js';
import type { SyncStore } from './sync-store.js';

test('needs as many round trips for a hundred mutations as for one', async () => {
  const { openStore, connect } = await fixture();
  const statements: Statement[] = [];
  const store = await openStore({ pool: recording(connect(), statements) });
  const counts: number[] = [];
  for (const size of [1, 100]) {
    statements.length = 0;
    const ids = Array.from({ length: size }, (_, index) => `${size}-${index}`);
    await save(store, {
      records: ids.map((recordId) => sampleState({ recordId })),
      ledger: ids.map((id, sequence) => sampleRow(id, { logId: `log-${size}`, sequence })),
      log: sampleLog({ logId: `log-${size}` }),
      intents: ids.map((recordId) => sampleIntent({ recordId })),
      settledIntents: ids.map(task),
    });
    counts.push(statements.length);
  }
  // BEGIN; three locks, one read; log, ledger, settled and new intents, records; COMMIT.
  expect(counts).toEqual([11, 11]);
});

test('finds everything by an index', { timeout: 120_000 }, async () => {
  const opened = await fixture();
  await fill(opened, 20_000);
  const pool = opened.connect();
  const statements: Statement[] = [];
  const store = await opened.openStore({ pool: recording(pool, statements) });
  statements.length = 0;
  await useEverything(store);
  const scanned: string[] = [];
  for (const { text, values } of statements.filter(({ values: bound }) => bound.length > 0)) {
    const steps = stepsOf(await explain(pool, { text, values }));
    scanned.push(
      ...steps.filter((step) => step['Node Type'] === 'Seq Scan').map((step) => String(step['Relation Name'])),
    );
  }
  expect(scanned.filter((table) => table !== 'objectql_sync_feed')).toEqual([]);
});

test('reads a page of objects as one lazy merge of index walks', { timeout: 120_000 }, async () => {
  const opened = await fixture();
  await fill(opened, 20_000);
  const pool = opened.connect();
  const statements: Statement[] = [];
  const store = await opened.openStore({ pool: recording(pool, statements) });
  statements.length = 0;
  await store.page({ after: 10, limit: 5, objects: ['task', 'project'] });
  const steps = stepsOf(await explain(pool, statements[0] ?? { text: '', values: [] }));
  expect(steps.map((step) => step['Node Type'])).toContain('Merge Append');
  expect(rowsRead(steps)).toBeLessThanOrEqual(7);
});

test.each([1, 2, 100, 101])('pages through %i objects', async (count) => {
  const { store } = await fixture();
  const names = Array.from({ length: 101 }, (_, index) => `object-${index}`);
  await save(store, { records: names.map((objectName) => sampleState({ objectName })) });
  const { records } = await store.page({ after: 0, limit: 200, objects: names.slice(-count) });
  expect(records.map(({ objectName }) => objectName)).toEqual(names.slice(-count));
});

test('reads for ten changes the same rows behind a thousand records and a hundred thousand', {
  timeout: 180_000,
}, async () => {
  const counts: number[] = [];
  for (const size of [1000, 100_000]) {
    const opened = await fixture();
    await fill(opened, size);
    const pool = opened.connect();
    const statements: Statement[] = [];
    const store = await opened.openStore({ pool: recording(pool, statements) });
    statements.length = 0;
    await store.page({ after: size - 10, limit: 500 });
    counts.push(rowsRead(stepsOf(await explain(pool, statements[0] ?? { text: '', values: [] }))));
  }
  expect(counts).toEqual([10, 10]);
});

interface Statement {
  readonly text: string;
  readonly values: unknown[];
}

/** A step of a plan, as EXPLAIN describes it. */
interface Step {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly Plans?: readonly Step[];
}

async function fixture() {
  const opened = await openPostgresFixture(inject('postgresUrl'));
  onTestFinished(() => opened.remove());
  return opened;
}

/** Stores `size` records at places 1 … size, and as many ledger rows, without going through the store. */
async function fill({ connect, schema }: PostgresFixture, size: number): Promise<void> {
  const pool = connect();
  const table = (name: string) => `${quoteSchema(schema)}.objectql_sync_${name}`;
  const state = sampleState();
  await pool.query(
    `INSERT INTO ${table('records')} (object_name, record_id, place, version, changed_at, data, bookkeeping)
    SELECT CASE WHEN n % 2 = 0 THEN 'task' ELSE 'project' END, to_json('filled-' || n)::text, n, 1, 1700000000000, $2, $3
    FROM generate_series(1, $1::int) AS n`,
    [size, JSON.stringify(state.data), encodeBookkeeping(state)],
  );
  await pool.query(
    `INSERT INTO ${table('ledger')} (mutation_id, log_id, sequence, object_name, record_id, content_hash, outcome, at)
    SELECT 'filled-' || n, 'log-' || n % 100, n, 'task', '"x"', 'hash', '{}', 1700000000000 FROM generate_series(1, $1::int) AS n`,
    [size],
  );
  await pool.query(`INSERT INTO ${table('logs')} SELECT 'log-' || n, null, 0, 0 FROM generate_series(1, 2000) AS n`);
  await pool.query(
    `INSERT INTO ${table('intents')} SELECT 'task', to_json('filled-' || n)::text, 'null' FROM generate_series(1, 2000) AS n`,
  );
  await pool.query(`UPDATE ${table('feed')} SET head = $1`, [size]);
  for (const name of ['records', 'ledger', 'logs', 'intents']) await pool.query(`ANALYZE ${table(name)}`);
}

/** Runs every statement a store has. */
async function useEverything(store: SyncStore): Promise<void> {
  await save(store, {
    records: [sampleState(), sampleState({ recordId: 'filled-2', version: 2 })],
    ledger: [sampleRow('mutation-1', { at: 1, logId: 'log-new' })],
    log: sampleLog({ logId: 'log-new' }),
    intents: [sampleIntent()],
    settledIntents: [task('task-2')],
  });
  await save(store, { log: sampleLog({ logId: 'log-1' }) });
  await look(store, {
    records: [task('task-1')],
    mutationIds: ['mutation-1'],
    log: { logId: 'log-1', sequences: [1] },
  });
  await store.page({ after: 0, limit: 10 });
  await store.page({ after: 0, limit: 10, objects: ['task', 'project', 'note'] });
  await store.page({ after: 0, limit: 10, objects: Array.from({ length: 101 }, (_, index) => `object-${index}`) });
  await store.prune({ before: 10, limit: 10 });
  await store.changeEpoch();
}

/** The statement's plan, run and rolled back. */
async function explain(pool: pg.Pool, { text, values }: Statement): Promise<Step> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    // What was inserted in the real run would be refused as there already.
    const { rows } = await client.query(
      `EXPLAIN (${/INSERT/.test(text) ? '' : 'ANALYZE, '}FORMAT JSON) ${text}`,
      values,
    );
    return rows[0]['QUERY PLAN'][0].Plan;
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
}

function stepsOf(plan: Step): readonly Step[] {
  return [plan, ...(plan.Plans ?? []).flatMap(stepsOf)];
}

/** Rows of the records table that the plan's scans returned. */
function rowsRead(steps: readonly Step[]): number {
  return steps
    .filter((step) => step['Relation Name'] === 'objectql_sync_records')
    .reduce((sum, step) => sum + step['Actual Rows'] * step['Actual Loops'], 0);
}

/** The pool, noting what is run on it. */
function recording(pool: pg.Pool, statements: Statement[]): PostgresPool {
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
