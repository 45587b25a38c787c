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

it('refuses a wait that is no number of milliseconds, as one that was read from nowhere', () => {
  const handle = { exec() {}, prepare() {} } as never;
  const pool = { connect() {}, on() {} } as never;
  for (const wait of [Number.NaN, -1, '5000' as never]) {
    const problem = (name: string) => new TypeError(`${name} must be a number of milliseconds.`);
    expect(() => new SqliteStore(handle, { busyTimeoutMs: wait })).toThrow(problem('SqliteStore: busyTimeoutMs'));
    for (const name of ['connectTimeoutMs', 'lockTimeoutMs']) {
      expect(() => new PostgresStore({ pool, [name]: wait })).toThrow(problem(`PostgresStore: ${name}`));
    }
  }
  expect(() => new SqliteStore(handle, { busyTimeoutMs: 0 })).not.toThrow();
});

it('refuses a name of a schema that PostgreSQL would cut or refuse: two tenants could share one', () => {
  const pool = { connect() {}, on() {} } as never;
  for (const schema of ['', 'a\0', 'x'.repeat(64), 'é'.repeat(32)]) {
    expect(() => new PostgresStore({ pool, schema })).toThrow("The schema's name must have 1 to 63 bytes and no NUL");
  }
  for (const schema of ['x', 'x'.repeat(63), 'é'.repeat(31)]) {
    expect(() => new PostgresStore({ pool, schema })).not.toThrow();
  }
});
