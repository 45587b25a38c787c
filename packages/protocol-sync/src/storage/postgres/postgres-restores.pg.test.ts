/** What a PostgreSQL store makes of a database that is not the one it was, or not one for it. */
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { look, sampleState, save } from '../contract/store-samples.js';
import { type PostgresServer, startPostgres } from './postgres-server.fixture.js';
import { PostgresStore } from './postgres-store.js';

let server: PostgresServer;
const pools: pg.Pool[] = [];
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(async () => {
  for (const pool of pools) await pool.end();
  await server.remove();
});

test('I6 finds out what a restored database has lost, under a pool that lived through it', async () => {
  const [first, second] = [await openStore(), await openStore()];
  await write(first, 'a', 'b');
  await connect().query('CHECKPOINT');
  await server.backUp();
  await write(first, 'c', 'd', 'e');
  const lost = await epochOf(first);
  await server.restore();
  // The process that knows the least of what was lost is the first to write.
  await write(second, 'f', 'g', 'h', 'i');
  const epoch = await epochOf(second);
  expect([await reachOf(first, lost), await reachOf(first, epoch)]).toEqual([2, 6]);
});

test('goes on with its feed whenever the database is only started again', async () => {
  const store = await openStore('restarted');
  await write(store, 'a', 'b');
  const before = await epochOf(store);
  await server.restart();
  await again(() => saveOneByOne(store, 'c', 'd'));
  const after = await epochOf(store);
  await write(await openStore('restarted'), 'e');
  await server.restart();
  await write(store, 'f');
  const last = await epochOf(store);
  expect([await reachOf(store, before), await reachOf(store, after), await reachOf(store, last)]).toEqual([2, 5, 6]);
});

test('finds out a database that was made out of another, and took its name', async () => {
  const admin = connect();
  await admin.query('CREATE DATABASE live');
  const pool = connect(server.url.replace(/postgres$/, 'live'));
  const store = await openStore('copied', pool);
  await write(store, 'a');
  await store.close();
  await pool.end();
  pools.splice(pools.indexOf(pool), 1);
  await admin.query('CREATE DATABASE backup TEMPLATE live');
  const original = await openStore('copied', connect(server.url.replace(/postgres$/, 'live')));
  const copy = await openStore('copied', connect(server.url.replace(/postgres$/, 'backup')));
  await write(original, 'b');
  await write(copy, 'c', 'd');
  const [of, ofCopy] = [await epochOf(original), await epochOf(copy)];
  expect([await reachOf(copy, of), await reachOf(original, ofCopy)]).toEqual([1, undefined]);
});

test('I13 refuses a database that lacks characters, in which a push with one of them would fail for ever', async () => {
  await connect().query("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0");
  const opening = openStore('latin', connect(server.url.replace(/postgres$/, 'latin')));
  await expect(opening).rejects.toThrow('encoded in LATIN1');
});

test('goes on with the feed of a schema as the release before has left it', async () => {
  const pool = connect();
  const before = await openStore('older', pool);
  await write(before, 'a', 'b');
  await before.close();
  await makeOlder('older', pool);
  const store = await openStore('older', pool);
  expect([await epochOf(store), await reachOf(store, 'of-before')]).toEqual(['of-before', 2]);
  await write(store, 'c');
  expect([await reachOf(store, 'of-before'), await reachOf(store, await epochOf(store))]).toEqual([2, 3]);
});

test('goes on when a backup of the release before is put back under it', async () => {
  const pool = connect();
  const store = await openStore('put_back', pool);
  await write(store, 'a', 'b');
  await makeOlder('put_back', pool);
  await write(store, 'c');
  expect([await reachOf(store, 'of-before'), await reachOf(store, await epochOf(store))]).toEqual([2, 3]);
});

test('I6 finds out that rows of a backup were put back into the same tables', async () => {
  const pool = connect();
  const store = await openStore('rows', pool);
  await write(store, 'a', 'b');
  const tables = ['feed', 'records', 'ledger', 'logs', 'intents', 'epochs'].map((name) => `objectql_sync_${name}`);
  for (const table of tables) await pool.query(`CREATE TABLE rows.copy_${table} AS TABLE rows.${table}`);
  await write(store, 'c', 'd', 'e');
  const lost = await epochOf(store);
  for (const table of tables) {
    await pool.query(`DELETE FROM rows.${table}; INSERT INTO rows.${table} SELECT * FROM rows.copy_${table}`);
  }
  await write(store, 'f', 'g', 'h', 'i');
  expect([await reachOf(store, lost), await reachOf(store, await epochOf(store))]).toEqual([2, 6]);
});

test('drops of more than a thousand epochs those that lie below the floor', async () => {
  const pool = connect();
  const store = await openStore('many', pool);
  await write(store, 'a');
  await pool.query(
    "INSERT INTO many.objectql_sync_epochs SELECT 'e' || n, n FROM generate_series(1, 1010) AS n; UPDATE many.objectql_sync_feed SET floor = 5",
  );
  await store.prune({ before: 0, limit: 10 });
  const { rows } = await pool.query('SELECT min(last_place)::int AS first FROM many.objectql_sync_epochs');
  await pool.query('UPDATE many.objectql_sync_feed SET floor = 500');
  await store.prune({ before: 0, limit: 10 });
  const { rows: later } = await pool.query('SELECT min(last_place)::int AS first FROM many.objectql_sync_epochs');
  expect([rows, later]).toEqual([[{ first: 5 }], [{ first: 10 }]]);
});

/** The schema as the release before has left it. */
async function makeOlder(schema: string, pool: pg.Pool): Promise<void> {
  await pool.query(
    `ALTER TABLE ${schema}.objectql_sync_feed DROP COLUMN begun_in; DROP TABLE ${schema}.objectql_sync_epochs;
    UPDATE ${schema}.objectql_sync_feed SET epoch = 'of-before'; UPDATE ${schema}.objectql_sync_schema SET version = 1`,
  );
  const { rows } = await pool.query(
    'SELECT oid::regprocedure AS name FROM pg_proc WHERE pronamespace = $1::regnamespace',
    [schema],
  );
  expect(rows).toHaveLength(2);
  for (const { name } of rows) await pool.query(`DROP FUNCTION ${name}`);
}

function connect(connectionString = server.url): pg.Pool {
  const pool = new pg.Pool({ connectionString });
  pool.on('error', () => {});
  pools.push(pool);
  return pool;
}

async function openStore(schema = 'restored', pool = connect()): Promise<PostgresStore> {
  const store = new PostgresStore({ pool, schema });
  await store.open();
  return store;
}

/** A connection that the restart has cut is replaced at the next try. */
async function again<T>(work: () => Promise<T>): Promise<T> {
  return work().catch(() => work());
}

async function write(store: PostgresStore, ...recordIds: readonly string[]): Promise<void> {
  await again(() => save(store, { records: recordIds.map((recordId) => sampleState({ recordId })) }));
}

/** In one transaction. */
async function saveOneByOne(store: PostgresStore, ...recordIds: readonly string[]): Promise<void> {
  const records = recordIds.map((recordId) => sampleState({ recordId }));
  await store.transaction(async (transaction) => {
    await transaction.load({ records, mutationIds: [] });
    for (const record of records) await transaction.save({ records: [record] });
  });
}

async function epochOf(store: PostgresStore): Promise<string> {
  return (await again(() => store.page({ after: 0, limit: 1 }))).facts.epoch;
}

async function reachOf(store: PostgresStore, epoch: string): Promise<number | undefined> {
  return (await again(() => look(store, { epoch }))).facts.reach;
}
