import { expect, it } from 'vitest';
import { PostgresStore } from './postgres-store.js';
import { SqliteStore } from './sqlite-store.js';

// Casts: JavaScript passes what the types refuse.
it('refuses an option that no store knows', () => {
  const tenant = { pool: {}, shema: 'acme' } as never;
  expect(() => new PostgresStore(tenant)).toThrow('PostgresStore: shema is unknown. Known: pool, schema, ');
  const waiting = { busyTimeout: 100 } as never;
  expect(() => new SqliteStore({} as never, waiting)).toThrow('SqliteStore: busyTimeout is unknown. Known: ');
});
