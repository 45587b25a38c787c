/** Connections that are lost while nobody asks, or that fall silent without an end. */
import { once } from 'node:events';
import { connect as connectSocket, createServer, type Socket } from 'node:net';
import pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { pushBody } from '../../http/requests.fixture.js';
import { systemPlatform } from '../../platform/platform.js';
import type { RecordResolver } from '../../records/record-resolver.js';
import { SyncHandler } from '../../sync-handler.js';
import { sampleState, save } from '../contract/store-samples.js';
import type { SyncStore } from '../sync-store.js';
import { urlThrough } from './faulty-proxy.fixture.js';
import { openPostgresFixture } from './postgres-database.fixture.js';
import { PostgresStore } from './postgres-store.js';

test('hears of commits again after its listening connection was cut', async () => {
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

test('hears of commits again after its connections fell silent without an end', async () => {
  const { openStore, schema } = await fixture();
  const other = await openStore();
  const { store, proxy, timers } = await storeBehindProxy(schema, { connections: 4 });
  await store.open();
  const { heads, heard } = listen(store);
  await save(other, { records: [sampleState()] });
  await heard(1);
  await timers.armed(LOOK_MS);
  // The pool has another connection at hand, which falls silent with it.
  await store.page({ after: 0, limit: 1 });
  proxy.silence();
  await save(other, { records: [sampleState({ version: 2 })] });
  timers.fire(LOOK_MS);
  // It looks, gets no answer in time, gives the connection up, and connects anew: to the other one, which it gives up as well.
  for (const _ of ['listening', 'at hand']) {
    await timers.armed(LOOK_MS);
    timers.fire(LOOK_MS);
    await timers.armed(RECONNECT_MS);
    expect(heads).toEqual([1]);
    timers.fire(RECONNECT_MS);
  }
  await heard(2);
  expect(heads).toEqual([1, 2]);
});

test('goes on hearing of commits after the feed has gone back', async () => {
  const { openStore, schema, backUp } = await fixture();
  const other = await openStore();
  const { store, timers } = await storeBehindProxy(schema, { connections: 4 });
  await store.open();
  const { heads, heard } = listen(store);
  const backup = await backUp();
  const write = (by: SyncStore, ...ids: readonly string[]) =>
    save(by, { records: ids.map((recordId) => sampleState({ recordId })) });
  await write(other, 'a', 'b', 'c');
  await heard(3);
  await timers.armed(LOOK_MS);
  await backup.putBack();
  // It is the other that begins the new epoch.
  await write(other, 'd');
  await write(store, 'e');
  await heard(2);
  await backup.putBack();
  await write(other, 'f');
  timers.fire(LOOK_MS);
  await heard(1);
  expect(heads).toEqual([3, 2, 1]);
});

test('closes at once, whatever its listening connection does not answer', async () => {
  const { schema } = await fixture();
  const { store, proxy, timers } = await storeBehindProxy(schema, { connections: 1 });
  await store.open();
  store.onCommit(() => {});
  await timers.armed(LOOK_MS);
  proxy.silence();
  await expect(store.close()).resolves.toBeUndefined();
});

test('listens on one connection, however late one fails that it gave up', async () => {
  const { schema } = await fixture();
  // A pipelining client answers what was asked only when its connection ends.
  const { store, pool, proxy, timers } = await storeBehindProxy(schema, { connections: 2, pipeline: true });
  await store.open();
  store.onCommit(() => {});
  await timers.armed(LOOK_MS);
  proxy.silence();
  for (const _ of ['time to look', 'no answer']) timers.fire(LOOK_MS);
  await timers.armed(RECONNECT_MS);
  const held = await Promise.all([pool.connect(), pool.connect()]);
  timers.fire(RECONNECT_MS);
  const ended = once(pool, 'remove');
  proxy.cut();
  await ended;
  await new Promise((resolve) => setImmediate(resolve));
  timers.fire(RECONNECT_MS);
  for (const client of held) client.release();
  await timers.armed(LOOK_MS);
  expect([pool.waitingCount, pool.totalCount - pool.idleCount]).toEqual([0, 1]);
});

test('closes at once, whatever a connection does not answer that it gave up', async () => {
  const { schema } = await fixture();
  const { store, proxy, timers } = await storeBehindProxy(schema, { connections: 1, pipeline: true });
  await store.open();
  store.onCommit(() => {});
  await timers.armed(LOOK_MS);
  proxy.silence();
  timers.fire(LOOK_MS);
  await expect(store.close()).resolves.toBeUndefined();
});

test('I13 gives up a connection that fell silent without an end, and goes on with another', async () => {
  const { schema } = await fixture();
  const { store, pool, proxy, timers } = await storeBehindProxy(schema, { connections: 1 });
  const handler = new SyncHandler({ store });
  const pull = (wanted = {}) => handler.handlePull({ clientId: 'tablet', lastCheckpoint: null, ...wanted });
  const pullNothing = () => pull({ objects: [] });
  const push = () => handler.handlePush(pushBody());
  const refused = async (ask: () => Promise<unknown>) => {
    proxy.silence();
    const asked = expect(ask()).rejects.toMatchObject({ code: 'BUSY' });
    await timers.armed(ANSWER_MS);
    timers.fire(ANSWER_MS);
    await asked;
  };
  // The first opens the store, on a connection that the application had made.
  await pool.query('SELECT');
  await refused(push);
  await push();
  for (const ask of [push, () => pull(), pullNothing]) {
    await refused(ask);
    expect(await pull()).toMatchObject({ serverChanges: [{ recordId: 'task-1', serverVersion: 1 }] });
  }
});

test('I13 gives up at once a connection that falls silent behind a write of the resolver', async () => {
  const { schema } = await fixture();
  const { store, proxy, timers } = await storeBehindProxy(schema, { connections: 1 });
  const handler = new SyncHandler({ store });
  await handler.handlePull({ clientId: 'tablet', lastCheckpoint: null });
  let tellWritten = () => {};
  const written = new Promise<void>((resolve) => {
    tellWritten = resolve;
  });
  const resolver: RecordResolver = {
    transactional: true,
    getRecord: () => undefined,
    applyMutation() {
      proxy.silence();
      tellWritten();
    },
  };
  const asked = expect(handler.handlePush(pushBody(), resolver)).rejects.toMatchObject({ code: 'BUSY' });
  await written;
  await timers.armed(ANSWER_MS);
  timers.fire(ANSWER_MS);
  await asked;
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

interface ProxiedPool {
  readonly connections: number;
  readonly pipeline?: boolean;
}

/** A store whose connections fall silent when the test says so, with timers that the test fires by hand. */
async function storeBehindProxy(schema: string, { connections, pipeline = false }: ProxiedPool) {
  const proxy = await silentProxy(inject('postgresUrl'));
  // Idle for however long, so that what falls silent is what the test has made, on a slow machine as well.
  const pool = new pg.Pool({ connectionString: proxy.url, max: connections, pipeline, idleTimeoutMillis: 0 });
  pool.on('error', () => {});
  const timers = handTimers();
  const store = new PostgresStore({ pool, schema, platform: { ...systemPlatform, setTimer: timers.set } });
  onTestFinished(async () => {
    await store.close();
    proxy.close();
    await pool.end();
  });
  return { store, pool, proxy, timers };
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
  return {
    url: await urlThrough(server, databaseUrl),
    silence: () => passing.clear(),
    cut() {
      for (const socket of sockets) if (!passing.has(socket)) socket.destroy();
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
