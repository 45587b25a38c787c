import { once } from 'node:events';
import { connect as connectSocket, createServer, type Socket } from 'node:net';
import pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { pushBody } from '../../http/requests.fixture.js';
import { systemPlatform } from '../../platform/platform.js';
import { SyncHandler } from '../../sync-handler.js';
import { SyncRequestError } from '../../sync-request-error.js';
import { feedOf, sampleState, save } from '../contract/store-samples.js';
import { StoreBusyError } from '../sync-store.js';
import { openPostgresFixture, type PostgresFixture } from './postgres-database.fixture.js';
import type { PostgresClient, PostgresPool } from './postgres-pool.js';
import { writesResolver } from './postgres-resolver.fixture.js';
import { quoteSchema } from './postgres-schema.js';
import { startPostgres } from './postgres-server.fixture.js';
import { PostgresStore } from './postgres-store.js';

test('is busy while the pool has no free connection, and works again when it has', async () => {
  const { openStore, connect } = await fixture();
  const pool = await connected(connect({ max: 1 }), 1);
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

test('applies every mutation once while fifty pushes want a pool of two that others hold', {
  timeout: 60_000,
}, async () => {
  const opened = await fixture();
  const table = await writesTable(opened);
  const pool = await connected(opened.connect({ max: 2 }), 2);
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

test('loses and repeats nothing when the database restarts under load', { timeout: 120_000 }, async () => {
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
  {
    timeout: 60_000,
  },
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
    // BEGIN, settings, load; two savepoints, made and released; the resolver's write; save, COMMIT; where the feed stands.
    expect([steps, refusals]).toEqual([sent === 'together' ? 8 : 11, []]);
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

test('hears of commits again after its listening connection was cut', { timeout: 30_000 }, async () => {
  const { openStore, connect, schema } = await fixture();
  const listening = await openStore({ pool: connect({ application_name: schema }) });
  const other = await openStore();
  const { heads, heard } = listen(listening);
  await save(other, { records: [sampleState()] });
  await heard(1);
  const { rowCount } = await connect().query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1',
    [schema],
  );
  expect(rowCount).toBeGreaterThan(0);
  await save(other, { records: [sampleState({ version: 2 })] });
  await heard(2);
  expect(heads).toEqual([1, 2]);
});

test('hears of commits again after its listening connection fell silent without an end', {
  timeout: 30_000,
}, async () => {
  const { openStore, schema } = await fixture();
  const other = await openStore();
  const { store, proxy, timers } = await storeBehindProxy(schema, { connections: 4 });
  await store.open();
  const { heads, heard } = listen(store);
  await save(other, { records: [sampleState()] });
  await heard(1);
  await timers.armed(LOOK_MS);
  proxy.silence();
  await save(other, { records: [sampleState({ version: 2 })] });
  // It looks, gets no answer in time, gives the connection up, and connects anew.
  timers.fire(LOOK_MS);
  await timers.armed(LOOK_MS);
  timers.fire(LOOK_MS);
  await timers.armed(RECONNECT_MS);
  expect(heads).toEqual([1]);
  timers.fire(RECONNECT_MS);
  await heard(2);
  expect(heads).toEqual([1, 2]);
});

test('I13 gives up a connection that fell silent without an end, and goes on with another', async () => {
  const { schema } = await fixture();
  const { store, proxy, timers } = await storeBehindProxy(schema, { connections: 1 });
  const handler = new SyncHandler({ store });
  const pull = () => handler.handlePull({ clientId: 'tablet', lastCheckpoint: null });
  const push = () => handler.handlePush(pushBody());
  await push();
  for (const ask of [push, pull]) {
    proxy.silence();
    const asked = expect(ask()).rejects.toMatchObject({ code: 'BUSY' });
    await timers.armed(ANSWER_MS);
    timers.fire(ANSWER_MS);
    await asked;
    expect(await pull()).toMatchObject({ serverChanges: [{ recordId: 'task-1', serverVersion: 1 }] });
  }
});

/** How long a statement may take to be answered. */
const ANSWER_MS = 25_000;
/** The listener's own times: between two looks, which is also how long it waits for an answer, and before it connects anew. */
const LOOK_MS = 15_000;
const RECONNECT_MS = 1000;

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

/** The heads a store tells, and a way to wait for one. */
function listen(store: PostgresStore) {
  const heads: number[] = [];
  let look = () => {};
  store.onCommit((head) => {
    heads.push(head);
    look();
  });
  const heard = (head: number) =>
    new Promise<void>((resolve) => {
      look = () => {
        if (heads.includes(head)) resolve();
      };
      look();
    });
  return { heads, heard };
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

/** A store whose connections fall silent when the test says so, with timers that the test fires by hand. */
async function storeBehindProxy(schema: string, { connections }: { readonly connections: number }) {
  const proxy = await silentProxy(inject('postgresUrl'));
  const pool = new pg.Pool({ connectionString: proxy.url, max: connections });
  pool.on('error', () => {});
  const timers = handTimers();
  const store = new PostgresStore({ pool, schema, platform: { ...systemPlatform, setTimer: timers.set } });
  onTestFinished(async () => {
    await store.close();
    proxy.close();
    await pool.end();
  });
  return { store, proxy, timers };
}

/** Real timers but for those that the test fires by hand. */
function handTimers() {
  const armed = new Map<number, () => void>();
  let tell = () => {};
  return {
    set(work: () => void, delayMs: number): () => void {
      if (![LOOK_MS, RECONNECT_MS, ANSWER_MS].includes(delayMs)) return systemPlatform.setTimer(work, delayMs);
      armed.set(delayMs, work);
      tell();
      return () => {
        if (armed.get(delayMs) === work) armed.delete(delayMs);
      };
    },
    armed: (delayMs: number) =>
      new Promise<void>((resolve) => {
        tell = () => {
          if (armed.has(delayMs)) resolve();
        };
        tell();
      }),
    fire(delayMs: number): void {
      const work = armed.get(delayMs);
      armed.delete(delayMs);
      work?.();
    },
  };
}

/** Passes bytes on to the database, until the connections it has are silenced: then they stay open and nothing passes. */
async function silentProxy(databaseUrl: string) {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  const passing = new Set<Socket>();
  const server = createServer((client) => {
    const database = connectSocket(Number(target.port || 5432), target.hostname);
    for (const [from, to] of [
      [client, database],
      [database, client],
    ] as const) {
      sockets.add(from);
      passing.add(from);
      from.on('error', () => {});
      from.on('data', (bytes) => void (passing.has(from) && to.write(bytes)));
      from.on('close', () => void (passing.has(from) && to.destroy()));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('The proxy has no port.');
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String(address.port);
  return {
    url: url.href,
    silence: () => passing.clear(),
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
