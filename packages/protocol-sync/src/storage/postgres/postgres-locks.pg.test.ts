import { expect, inject, onTestFinished, test } from 'vitest';
import type { RecordResolver } from '../../records/record-resolver.js';
import { brief, create } from '../../sync-handler.fixture.js';
import { SyncHandler } from '../../sync-handler.js';
import type { SyncWarning } from '../../sync-handler-options.js';
import { sampleTombstone, save } from '../contract/store-samples.js';
import { StoreBusyError } from '../sync-store.js';
import { openPostgresFixture } from './postgres-database.fixture.js';
import type { PostgresClient } from './postgres-pool.js';
import { quoteSchema } from './postgres-schema.js';
import { PostgresStore } from './postgres-store.js';

test('holds back a record that somebody keeps locked, and no other of the push', async () => {
  const { schema, connect, openStore, remove } = await openPostgresFixture(inject('postgresUrl'));
  onTestFinished(remove);
  const table = `${quoteSchema(schema)}.tasks`;
  const resolver: RecordResolver = {
    transactional: true,
    getRecord: () => undefined,
    async applyMutation({ recordId, data }, _version, { transaction }) {
      const write = `INSERT INTO ${table} VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET title = $2`;
      await (transaction as PostgresClient).query(write, [recordId, data?.title]);
    },
  };
  const handler = new SyncHandler({ store: await openStore({ lockTimeoutMs: 50 }), resolver });
  const administrator = await connect().connect();
  await administrator.query(`CREATE TABLE ${table} (id text PRIMARY KEY, title text)`);
  await administrator.query(`INSERT INTO ${table} VALUES ('locked', 'before')`);
  await administrator.query(`BEGIN; SELECT * FROM ${table} WHERE id = 'locked' FOR UPDATE`);
  const mutations = ['first', 'locked', 'last'].map((recordId) => create({ title: 'after' }, { recordId }));
  const request = { clientId: 'a', logId: 'log-a', lastCheckpoint: null, mutations } as const;
  const during = await handler.handlePush(request);
  await administrator.query('COMMIT');
  const afterwards = await handler.handlePush(request);
  const { rows } = await administrator.query(`SELECT id FROM ${table} WHERE title = 'after' ORDER BY id`);
  administrator.release();
  expect([during, afterwards].map(({ results }) => brief(results))).toEqual([
    ['applied', 'INTERNAL', 'applied'],
    ['applied', 'applied', 'applied'],
  ]);
  expect(rows).toEqual([{ id: 'first' }, { id: 'last' }, { id: 'locked' }]);
});

test('I13 holds back a record whose write fails behind the back of its resolver, and no other of the push', async () => {
  const { openStore, remove } = await openPostgresFixture(inject('postgresUrl'));
  onTestFinished(remove);
  const resolver: RecordResolver = {
    transactional: true,
    getRecord: () => undefined,
    async applyMutation({ recordId }, _version, { transaction }) {
      // PostgreSQL takes nothing more in a transaction of which a statement has failed, whoever catches that.
      if (recordId === 'broken') await (transaction as PostgresClient).query('SELECT 1 / 0').catch(() => {});
    },
  };
  const warnings: SyncWarning[] = [];
  const handler = new SyncHandler({
    store: await openStore(),
    resolver,
    onWarning: (warning) => warnings.push(warning),
  });
  const mutations = ['first', 'broken', 'last'].map((recordId) => create({ title: 'new' }, { recordId }));
  const { results } = await handler.handlePush({ clientId: 'a', logId: 'log-a', lastCheckpoint: null, mutations });
  expect(brief(results)).toEqual(['applied', 'INTERNAL', 'applied']);
  expect(warnings).toMatchObject([{ code: 'WRITE_FAILED', cause: { code: '25P02' } }]);
});

test('applies pushes of many whose resolver takes its connections from the same pool', async () => {
  const { schema, connect, openStore, remove } = await openPostgresFixture(inject('postgresUrl'));
  onTestFinished(remove);
  const pool = connect({ max: 2 });
  const table = `${quoteSchema(schema)}.tasks`;
  await pool.query(`CREATE TABLE ${table} (id text PRIMARY KEY, title text)`);
  const resolver: RecordResolver = {
    getRecord: async (_objectName, recordId) =>
      (await pool.query(`SELECT title FROM ${table} WHERE id = $1`, [recordId])).rows[0],
    async applyMutation({ recordId, data }) {
      await pool.query(`INSERT INTO ${table} VALUES ($1, $2)`, [recordId, data?.title]);
    },
  };
  const handler = new SyncHandler({ store: await openStore({ pool }), resolver });
  const pushes = ['a', 'b', 'c', 'd', 'e', 'f'].map(async (name) => {
    const mutations = [create({ title: 'new' }, { recordId: name })];
    return brief((await handler.handlePush({ clientId: 'a', logId: name, lastCheckpoint: null, mutations })).results);
  });
  expect(new Set((await Promise.all(pushes)).flat())).toEqual(new Set(['applied']));
});

test('bounds by itself how long a transaction may wait, run and stand still, and nothing else of its connection', async () => {
  const { connect, openStore, remove } = await openPostgresFixture(inject('postgresUrl'));
  onTestFinished(remove);
  const pool = connect({ max: 1 });
  const names = ['lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout'];
  const query = 'SELECT current_setting(name) AS setting FROM unnest($1::text[]) AS name';
  const settings = async (client: PostgresClient | typeof pool) => (await client.query(query, [names])).rows;
  const before = await settings(pool);
  const store = await openStore({ pool });
  const during = await store.transaction(({ handle }) => settings(handle as PostgresClient));
  expect(during).toEqual([{ setting: '5s' }, { setting: '20s' }, { setting: '30s' }]);
  expect(await settings(pool)).toEqual(before);
});

test.each<readonly [what: string, held: (tables: string) => string, ask: (store: PostgresStore) => Promise<unknown>]>([
  [
    'prune',
    (tables) => `SELECT FROM ${tables}.objectql_sync_feed FOR UPDATE`,
    (store) => store.prune({ before: 100, limit: 10 }),
  ],
  ['changeEpoch', (tables) => `SELECT FROM ${tables}.objectql_sync_feed FOR UPDATE`, (store) => store.changeEpoch()],
  ['page', (tables) => `LOCK TABLE ${tables}.objectql_sync_records`, (store) => store.page({ after: 0, limit: 1 })],
])('is busy where %s waits for a lock that somebody keeps', async (_what, held, ask) => {
  const { schema, connect, openStore, remove } = await openPostgresFixture(inject('postgresUrl'));
  onTestFinished(remove);
  const pool = connect({ options: '-c lock_timeout=20' });
  const store = await openStore({ pool, lockTimeoutMs: 20 });
  await save(store, { records: [sampleTombstone('gone', 1)] });
  const administrator = await connect().connect();
  await administrator.query(`BEGIN; ${held(quoteSchema(schema))}`);
  const during: unknown = await ask(store).catch((error: unknown) => error);
  await administrator.query('COMMIT');
  administrator.release();
  expect(during).toBeInstanceOf(StoreBusyError);
  await ask(store);
});

test('is busy while another process makes or upgrades the tables', async () => {
  const { schema, connect, remove } = await openPostgresFixture(inject('postgresUrl'));
  onTestFinished(remove);
  const handler = new SyncHandler({ store: new PostgresStore({ pool: connect(), schema, lockTimeoutMs: 20 }) });
  onTestFinished(() => handler.close());
  const administrator = await connect().connect();
  const lock = 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))';
  await administrator.query('BEGIN');
  await administrator.query(lock, [`objectql_sync migrate ${schema}`]);
  const pull = () => handler.handlePull({ clientId: 'tablet', lastCheckpoint: null });
  const during: unknown = await pull().catch((error: unknown) => error);
  await administrator.query('COMMIT');
  administrator.release();
  expect(during).toMatchObject({ code: 'BUSY' });
  expect(await pull()).toMatchObject({ serverChanges: [] });
});
