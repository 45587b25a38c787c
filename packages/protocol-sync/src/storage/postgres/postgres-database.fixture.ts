/** A PostgreSQL schema for tests, and stores on it. */
import pg from 'pg';
import { systemPlatform } from '../../platform/platform.js';
import type { StoreFixture } from '../contract/store-fixture.js';
import type { PostgresClient } from './postgres-pool.js';
import { quoteSchema } from './postgres-schema.js';
import { PostgresStore, type PostgresStoreOptions } from './postgres-store.js';

/** A store in a schema of its own, with a table for notes beside its tables. */
export type PostgresFixture = Required<StoreFixture> & {
  /** The schema's name. */
  readonly schema: string;
  /** Connects to the database; ended by `remove`. */
  readonly connect: (options?: pg.PoolConfig) => pg.Pool;
  /** Opens a store on the schema. */
  readonly openStore: (options?: Partial<PostgresStoreOptions>) => Promise<PostgresStore>;
};

/** Opens a store in a new schema of the database at `url`. */
export async function openPostgresFixture(url: string): Promise<PostgresFixture> {
  const pools: pg.Pool[] = [];
  const stores: PostgresStore[] = [];
  const copies: string[] = [];
  const schema = `test "${systemPlatform.randomId().slice(-12)}"`;
  const notesTable = `${quoteSchema(schema)}.notes`;
  const connect = (options: pg.PoolConfig = {}) => {
    const pool = new pg.Pool({ connectionString: url, max: 10, ...options });
    pool.on('error', () => {});
    pools.push(pool);
    return pool;
  };
  const openStore = async (options: Partial<PostgresStoreOptions> = {}) => {
    const store = new PostgresStore({ pool: connect(), schema, ...options });
    stores.push(store);
    await store.open();
    return store;
  };
  const store = await openStore();
  const outside = connect();
  await outside.query(`CREATE TABLE ${notesTable} (note text COLLATE "C" PRIMARY KEY)`);
  return {
    schema,
    connect,
    openStore,
    store,
    async reopen() {
      await store.close();
      return openStore();
    },
    openAnother: () => openStore(),
    async backUp() {
      const copy = `${schema} copy ${stores.length}`;
      const tables = await tablesOf(outside, schema);
      const copyAll = (from: string, to: string) =>
        tables
          .map((name) => `INSERT INTO ${quoteSchema(to)}.${name} SELECT * FROM ${quoteSchema(from)}.${name};`)
          .join(' ');
      const like = (name: string) => `${quoteSchema(copy)}.${name} (LIKE ${quoteSchema(schema)}.${name} INCLUDING ALL)`;
      const made = tables.map((name) => `CREATE TABLE ${like(name)};`).join(' ');
      await outside.query(`CREATE SCHEMA ${quoteSchema(copy)}; ${made} ${copyAll(schema, copy)}`);
      copies.push(copy);
      return {
        open: () => openStore({ schema: copy }),
        async putBack() {
          const emptied = tables.map((name) => `TRUNCATE ${quoteSchema(schema)}.${name};`).join(' ');
          await outside.query(`${emptied} ${copyAll(copy, schema)}`);
        },
      };
    },
    async makeNewer() {
      await outside.query(`UPDATE ${quoteSchema(schema)}.objectql_sync_schema SET version = 1000`);
    },
    notes: {
      async add(handle, note) {
        // The contract hands over what the store gave: a client.
        await (handle as PostgresClient).query(`INSERT INTO ${notesTable} (note) VALUES ($1)`, [note]);
      },
      async list() {
        const { rows } = await outside.query<{ note: string }>(`SELECT note FROM ${notesTable} ORDER BY note`);
        return rows.map(({ note }) => note);
      },
    },
    async remove() {
      for (const opened of stores) await opened.close();
      for (const name of [schema, ...copies]) await outside.query(`DROP SCHEMA ${quoteSchema(name)} CASCADE`);
      for (const pool of pools) await pool.end();
    },
  };
}

async function tablesOf(pool: pg.Pool, schema: string): Promise<readonly string[]> {
  const text = 'SELECT tablename FROM pg_tables WHERE schemaname = $1';
  const { rows } = await pool.query<{ tablename: string }>(text, [schema]);
  return rows.map(({ tablename }) => tablename);
}
