import { expect, it } from 'vitest';
import { PostgresStore } from './postgres/postgres-store.js';
import { SqliteStore } from './sqlite/sqlite-store.js';

// Casts: JavaScript passes what the types refuse.
it('refuses an option that no store knows', () => {
  const tenant = { pool: {}, shema: 'acme' } as never;
  expect(() => new PostgresStore(tenant)).toThrow('PostgresStore: shema is unknown. Known: pool, schema, ');
  const waiting = { busyTimeout: 100 } as never;
  expect(() => new SqliteStore({} as never, waiting)).toThrow('SqliteStore: busyTimeout is unknown. Known: ');
});

it('refuses what is no handle and no pool, as a file name and a connection string', () => {
  const advice = "SqliteStore: database must be an open handle, e.g. new Database('sync.db').";
  for (const database of [undefined, 'sync.db', {}]) {
    expect(() => new SqliteStore(database as never)).toThrow(new TypeError(advice));
  }
  for (const options of [undefined, {}, { pool: 'postgres://localhost/app' }]) {
    expect(() => new PostgresStore(options as never)).toThrow(
      new TypeError('PostgresStore: pool must be a Pool of pg.'),
    );
  }
});
