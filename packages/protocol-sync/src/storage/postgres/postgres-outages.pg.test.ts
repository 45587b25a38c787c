import type { Socket } from 'node:net';
import type pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { pushBody } from '../../http/requests.fixture.js';
import { SyncHandler } from '../../sync-handler.js';
import { SyncRequestError } from '../../sync-request-error.js';
import { feedOf, sampleState, save } from '../contract/store-samples.js';
import { StoreBusyError } from '../sync-store.js';
import { openPostgresFixture, type PostgresFixture } from './postgres-database.fixture.js';
import type { PostgresClient, PostgresPool } from './postgres-pool.js';
import { writesResolver } from './postgres-resolver.fixture.js';
import { quoteSchema } from './postgres-schema.js';
import { startPostgres } from './postgres-server.fixture.js';

test('is busy while the pool has no free connection, and works again when it has', async () => {
  const { openStore, connect } = await fixture();
  const pool = await connected(connect({ max: 1, idleTimeoutMillis: 0 }), 1);
  const store = await openStore({ pool, connectTimeoutMs: 50 });
  const taken = await pool.connect();
  await expect(store.page({ after: 0, limit: 1 })).rejects.toBeInstanceOf(StoreBusyError);
  await expect(save(store, { records: [sampleState()] })).rejects.toThrow('no free connection for 50 ms');
  taken.release();
  await save(store, { records: [sampleState()] });
  expect(await feedOf(store)).toHaveLength(1);
});

test('lets go of a connection to a server that has become a standby, and goes on with another', async () => {
  const { openStore, connect } = await fixture();
  const pool = connect({ max: 1 });
  const handler = new SyncHandler({ store: await openStore({ pool }) });
  // As a session is left by a failover that keeps connections: it can read, and write no more.
  const demoted = await pool.connect();
  await demoted.query('SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY');
  demoted.release();
  const push = () => handler.handlePush(pushBody());
  await expect(push()).rejects.toMatchObject({ code: 'BUSY' });
  expect((await push()).results).toMatchObject([{ status: 'applied', serverVersion: 1 }]);
});

test('applies every mutation once while fifty pushes want a pool of two that others hold', async () => {
  const opened = await fixture();
  const table = await writesTable(opened);
  const pool = await connected(opened.connect({ max: 2, idleTimeoutMillis: 0 }), 2);
  const handler = new SyncHandler({ store: await opened.openStore({ pool, connectTimeoutMs: 50 }) });
  const held = [await pool.connect(), await pool.connect()];
  const refusals: string[] = [];
  const onRefused = (code: string) => {
    refusals.push(code);
    held.pop()?.release();
  };
  const ids = Array.from({ length: 50 }, (_, n) => `m${n}`);
  await Promise.all(ids.map((id) => pushUntilApplied(handler, { id, table: table.name, onRefused })));
  expect(new Set(refusals)).toEqual(new Set(['BUSY']));
  expect(await table.read()).toEqual(ids.toSorted());
  expect(await feedOf(opened.store)).toHaveLength(50);
});

test('loses and repeats nothing when the database restarts under load', async () => {
  const server = await startPostgres();
  onTestFinished(() => server.remove());
  const opened = await openPostgresFixture(server.url);
  onTestFinished(() => opened.remove());
  const table = await writesTable(opened);
  const handler = new SyncHandler({ store: opened.store });
  const applied: string[] = [];
  const refusals: string[] = [];
  let hasFailed = () => {};
  const firstFailure = new Promise<void>((resolve) => {
    hasFailed = resolve;
  });
  let isOver = false;
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let n = 0; !isOver; n++) {
      const id = `${writer}-${n}`;
      const onRefused = (code: string) => {
        refusals.push(code);
        hasFailed();
      };
      await pushUntilApplied(handler, { id, table: table.name, onRefused });
      applied.push(id);
    }
  });
  await server.restart();
  await firstFailure;
  const before = applied.length;
  while (applied.length < before + 20) await turn();
  isOver = true;
  await Promise.all(writers);
  expect(new Set(refusals)).toEqual(new Set(['BUSY']));
  expect(await table.read()).toEqual(applied.toSorted());
  expect((await feedOf(opened.store)).map(({ recordId }) => recordId).toSorted()).toEqual(applied.toSorted());
});

test.each(['one at a time', 'together'] as const)(
  'applies a push once, whatever the connection is lost at, before or after it ran, with statements sent %s',
  async (sent) => {
    const opened = await fixture();
    const table = await writesTable(opened);
    // A pipelining client lends its connection to nobody.
    const pool = opened.connect({ pipeline: sent === 'one at a time' });
    const cut = { after: 0, when: 'before' as 'before' | 'after', statements: 0 };
    const handler = new SyncHandler({ store: await opened.openStore({ pool: cutting(pool, cut) }) });
    const push = (id: string) => {
      cut.statements = 0;
      return pushUntilApplied(handler, { id, table: table.name, onRefused: (code) => refusals.push(code) });
    };
    const refusals: string[] = [];
    await push('rehearsal');
    const steps = cut.statements;
    // BEGIN, settings, load; a savepoint, made and released; the resolver's write; save, COMMIT; where the feed stands.
    expect([steps, refusals]).toEqual([sent === 'together' ? 6 : 9, []]);
    const ids = ['rehearsal'];
    for (cut.after = 1; cut.after <= steps; cut.after++) {
      for (cut.when of ['before', 'after'] as const) {
        ids.push(`${cut.when}-${cut.after}`);
        await push(ids.at(-1) ?? '');
      }
    }
    expect(new Set(refusals)).toEqual(new Set(['BUSY']));
    expect(await table.read()).toEqual(ids.toSorted());
    expect((await feedOf(opened.store)).map(({ version }) => version)).toEqual(ids.map(() => 1));
  },
);

async function fixture() {
  const opened = await openPostgresFixture(inject('postgresUrl'));
  onTestFinished(() => opened.remove());
  return opened;
}

/** The pool, whose connection breaks at what is sent for the n-th time from now, once: before it goes out, or before its answer. */
function cutting(
  pool: pg.Pool,
  cut: { readonly after: number; readonly when: 'before' | 'after'; statements: number },
): PostgresPool {
  return {
    on: (event, listener) => pool.on(event, listener),
    removeListener: (event, listener) => pool.removeListener(event, listener),
    async connect() {
      const client = await pool.connect();
      // Not in the types of `pg`: the socket, which a network that fails takes away.
      const { connection } = client as unknown as { readonly connection: { readonly stream: Socket } };
      const lost = () => {
        connection.stream.destroy();
        return new Error('Connection terminated unexpectedly');
      };
      const query = (asked: string | Lent, values?: unknown[]) => {
        cut.statements += 1;
        const isDue = cut.statements === cut.after;
        if (isDue && cut.when === 'before') lost();
        if (typeof asked !== 'string') {
          const { callback } = asked;
          if (isDue) asked.callback = () => callback(lost());
          return client.query(asked);
        }
        return client.query(asked, values).then((result) => (isDue ? Promise.reject(lost()) : result));
      };
      // The store sees the client itself, but for its queries.
      return new Proxy(client, {
        get: (target, key) => {
          const value: unknown = key === 'query' ? query : Reflect.get(target, key, target);
          return typeof value === 'function' && key !== 'query' ? value.bind(target) : value;
        },
      }) as PostgresClient;
    },
  };
}

/** A query to which the connection is lent. */
interface Lent extends pg.Submittable {
  callback: (error: unknown, results?: unknown) => void;
}

/** The pool with that many connections made, so that no short timeout meets one that is still being made. */
async function connected(pool: pg.Pool, count: number): Promise<pg.Pool> {
  const clients = await Promise.all(Array.from({ length: count }, () => pool.connect()));
  for (const client of clients) client.release();
  return pool;
}

/** An application's table of the mutations it was given, which takes an id twice. */
async function writesTable({ connect, schema }: PostgresFixture) {
  const pool = connect();
  const name = `${quoteSchema(schema)}.writes`;
  await pool.query(`CREATE TABLE ${name} (mutation_id text COLLATE "C" NOT NULL)`);
  return {
    name,
    async read(): Promise<readonly string[]> {
      const { rows } = await pool.query<{ mutation_id: string }>(`SELECT mutation_id FROM ${name} ORDER BY 1`);
      return rows.map(({ mutation_id }) => mutation_id);
    },
  };
}

interface OnePush {
  readonly id: string;
  readonly table: string;
  readonly onRefused: (code: string) => void;
}

/** Pushes the creation of one record until it is applied, as a client does. */
async function pushUntilApplied(handler: SyncHandler, { id, table, onRefused }: OnePush): Promise<void> {
  const [mutation] = pushBody().mutations;
  if (!mutation) throw new Error('A push has one mutation.');
  const body = pushBody({ logId: `log-${id}`, pull: false, mutations: [{ ...mutation, id, recordId: id }] });
  for (;;) {
    try {
      const { results } = await handler.handlePush(body, writesResolver(table));
      expect(results).toMatchObject([{ status: 'applied', serverVersion: 1 }]);
      return;
    } catch (error) {
      if (!(error instanceof SyncRequestError)) throw error;
      onRefused(error.code);
      await turn();
    }
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
