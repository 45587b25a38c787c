import pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { SyncHandler } from '../../sync-handler.js';
import { sampleState, save } from '../contract/store-samples.js';
import { StoreBusyError } from '../sync-store.js';
import { openPostgresFixture } from './postgres-database.fixture.js';
import { isUnavailable } from './postgres-pool.js';
import { PostgresStore } from './postgres-store.js';

function storeAt(url: string): PostgresStore {
  const pool = new pg.Pool({ connectionString: url });
  onTestFinished(() => pool.end());
  return new PostgresStore({ pool });
}

test('says what is wrong where the database will never let it in', async () => {
  const url = new URL(inject('postgresUrl'));
  url.pathname = '/no_such_database';
  await expect(storeAt(url.href).open()).rejects.toMatchObject({ code: '3D000' });
});

test('is busy where nobody answers, and tells the operator why', async () => {
  // Nothing listens on port 1.
  const opening = storeAt('postgres://postgres@127.0.0.1:1/postgres').open();
  await expect(opening).rejects.toBeInstanceOf(StoreBusyError);
  await expect(opening).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
});

test('works where it may wait for as long as it likes', async () => {
  const { openStore, remove } = await openPostgresFixture(inject('postgresUrl'));
  onTestFinished(remove);
  const forever = Number.POSITIVE_INFINITY;
  const store = await openStore({ connectTimeoutMs: forever, lockTimeoutMs: forever });
  await save(store, { records: [sampleState()] });
  expect((await store.page({ after: 0, limit: 1 })).facts.head).toBe(1);
});

test('gives all back where it is closed while its first request still opens it', async () => {
  const { connect, schema, remove } = await openPostgresFixture(inject('postgresUrl'));
  onTestFinished(remove);
  const pool = connect();
  const listeners = pool.listenerCount('error');
  const handler = new SyncHandler({ store: new PostgresStore({ pool, schema }) });
  const refused = expect(handler.watch(null, { onPoke: () => {}, onEnd: () => {} })).rejects.toMatchObject({
    code: 'BUSY',
  });
  await handler.close();
  await refused;
  expect([pool.listenerCount('error'), pool.totalCount - pool.idleCount]).toEqual([listeners, 0]);
});

test('lets the process live on when an idle connection of the pool breaks', async () => {
  const { schema, remove } = await openPostgresFixture(inject('postgresUrl'));
  onTestFinished(remove);
  const pool = new pg.Pool({ connectionString: inject('postgresUrl') });
  onTestFinished(() => pool.end());
  const store = new PostgresStore({ pool, schema });
  await store.open();
  // An emitter throws what nobody listens to.
  expect(pool.listenerCount('error')).toBe(1);
  await store.close();
  expect(pool.listenerCount('error')).toBe(0);
});

test('leaves no listener on the connections that it has used', async () => {
  const { connect, schema, remove } = await openPostgresFixture(inject('postgresUrl'));
  onTestFinished(remove);
  const pool = connect();
  const listeners = new Map<object, number>();
  pool.on('connect', (client) => listeners.set(client, client.listenerCount('error')));
  const store = new PostgresStore({ pool, schema });
  await store.open();
  onTestFinished(() => store.close());
  for (let place = 0; place < 3; place++) await store.page({ after: place, limit: 1 });
  const counts = [...listeners.keys()].map((client) => (client as pg.PoolClient).listenerCount('error'));
  expect(counts).toEqual([...listeners.values()]);
});

test.each([
  ['08006', true],
  ['08P01', true],
  ['57P01', true],
  ['25P03', true],
  ['53300', true],
  ['22008', false],
  ['57014', false],
  [undefined, false],
])('takes %s from the server for a database that may come back: %s', (code, isMeant) => {
  const reported = Object.assign(new Error('reported'), { severity: 'FATAL', code });
  expect([isUnavailable(reported), isUnavailable(new Error('08006'))]).toEqual([isMeant, false]);
});
