import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { SyncPushRequest, SyncPushResponse } from '@objectql/sync-types';
import { expect, inject, onTestFinished, test } from 'vitest';
import { post } from '../http/requests.fixture.js';
import { SyncHandler } from '../sync-handler.js';
import { feedOf, look, sampleState, save } from './contract/store-samples.js';
import { openPostgresFixture } from './postgres-database.fixture.js';
import { writesResolver } from './postgres-resolver.fixture.js';
import { quoteSchema } from './postgres-schema.js';
import { startPostgres } from './postgres-server.fixture.js';
import { withFaults } from './store-faults.js';
import { StoreBusyError } from './sync-store.js';

const CLIENTS = 6;
const PUSHES = 15;

test('applies every mutation once while servers are killed and requests arrive twice', {
  timeout: 120_000,
}, async () => {
  const app = await application(inject('postgresUrl'));
  const servers = await Promise.all([app.startServer(), app.startServer(), app.startServer()]);
  let done = 0;
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    for (let n = 1; n <= PUSHES; n++) {
      const body = pushOf(`client-${client}`, n);
      const target = (offset: number) => servers[(client + n + offset) % servers.length]?.port ?? 0;
      // Twice at the same moment, on two servers.
      await Promise.all([pushUntilAnswered(() => target(0), body), pushUntilAnswered(() => target(1), body)]);
      done += 1;
      if (done === (CLIENTS * PUSHES) / 3) {
        const index = done % servers.length;
        servers[index]?.process.kill('SIGKILL');
        servers[index] = await app.startServer();
      }
    }
  });
  await Promise.all(clients);
  const expected = Array.from({ length: CLIENTS }, (_, client) =>
    Array.from({ length: PUSHES }, (_, n) => `client-${client}-${n + 1}`),
  ).flat();
  expect(await app.writes()).toEqual(expected.toSorted());
  const feed = await feedOf(app.store);
  expect(feed.map(({ place }) => place)).toEqual(feed.map((_, index) => index + 1));
  expect(feed.map(({ recordId, version }) => [recordId, version]).toSorted()).toEqual(
    expected.map((id) => [id, 1]).toSorted(),
  );
  expect((await look(app.store, { mutationIds: expected })).ledger).toHaveLength(expected.length);
});

test('commits what a resolver writes with record, version, feed and ledger', async () => {
  const app = await application(inject('postgresUrl'));
  const handler = new SyncHandler({ store: app.store });
  const { results } = await handler.handlePush(pushOf('phone', 1), writesResolver(app.table));
  expect(results).toMatchObject([{ status: 'applied', serverVersion: 1 }]);
  expect([await app.writes(), (await feedOf(app.store)).length]).toEqual([['phone-1'], 1]);
});

test('undoes what a refused mutation wrote, and keeps its neighbour', async () => {
  const app = await application(inject('postgresUrl'));
  const handler = new SyncHandler({ store: app.store });
  const [first] = pushOf('phone', 1).mutations;
  const [second] = pushOf('phone', 2).mutations;
  if (!first || !second) throw new Error('A push has one mutation.');
  const mutations = [{ ...first, data: { title: 'refused' } }, second];
  const { results } = await handler.handlePush({ ...pushOf('phone', 1), mutations }, writesResolver(app.table));
  expect(results).toMatchObject([{ status: 'rejected', code: 'VALIDATION' }, { status: 'applied' }]);
  expect([await app.writes(), (await feedOf(app.store)).length]).toEqual([['phone-2'], 1]);
});

test('keeps nothing of a push that fails at any step before its commit, and all of one that fails after', async () => {
  for (const step of ['begin', 'load', 'savepoint', 'save', 'commit'] as const) {
    for (const when of ['before', 'after'] as const) {
      const app = await application(inject('postgresUrl'));
      const broken = new SyncHandler({ store: withFaults(app.store, [{ nth: 1, step, when, error: busy() }]) });
      const push = broken.handlePush(pushOf('phone', 1), writesResolver(app.table));
      await expect(push, `${when} ${step}`).rejects.toThrow();
      const isKept = step === 'commit' && when === 'after';
      const kept = [await app.writes(), (await feedOf(app.store)).length];
      expect(kept, `${when} ${step}`).toEqual(isKept ? [['phone-1'], 1] : [[], 0]);
      const again = await new SyncHandler({ store: app.store }).handlePush(
        pushOf('phone', 1),
        writesResolver(app.table),
      );
      expect(again.results).toMatchObject([{ status: 'applied', serverVersion: 1 }]);
      expect(await app.writes()).toEqual(['phone-1']);
    }
  }
});

test('is busy while the pool has no free connection, and works again when it has', async () => {
  const { openStore, connect } = await fixture();
  const pool = connect({ max: 1 });
  const store = await openStore({ pool, connectTimeoutMs: 50 });
  const taken = await pool.connect();
  await expect(store.page({ after: 0, limit: 1 })).rejects.toBeInstanceOf(StoreBusyError);
  await expect(save(store, { records: [sampleState()] })).rejects.toThrow('no free connection for 50 ms');
  taken.release();
  await save(store, { records: [sampleState()] });
  expect(await feedOf(store)).toHaveLength(1);
});

test('hears of commits again after its listening connection was cut', { timeout: 30_000 }, async () => {
  const { openStore, connect, schema } = await fixture();
  const listening = await openStore({ pool: connect({ application_name: schema }) });
  const other = await openStore();
  const heads: number[] = [];
  let hear = () => {};
  const heard = (head: number) =>
    new Promise<void>((resolve) => {
      hear = () => {
        if (heads.includes(head)) resolve();
      };
      hear();
    });
  listening.onCommit((head) => {
    heads.push(head);
    hear();
  });
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

test('loses nothing it confirmed when the database restarts under load', { timeout: 120_000 }, async () => {
  const server = await startPostgres();
  onTestFinished(() => server.remove());
  const { store, remove } = await openPostgresFixture(server.url);
  onTestFinished(remove);
  const confirmed: string[] = [];
  let busy = 0;
  let hasFailed = () => {};
  const firstFailure = new Promise<void>((resolve) => {
    hasFailed = resolve;
  });
  let isOver = false;
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let n = 0; !isOver; n++) {
      const recordId = `${writer}-${n}`;
      try {
        await save(store, { records: [sampleState({ recordId })] });
        confirmed.push(recordId);
      } catch (error) {
        expect(error).toBeInstanceOf(StoreBusyError);
        busy += 1;
        hasFailed();
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  });
  await server.restart();
  await firstFailure;
  const before = confirmed.length;
  while (confirmed.length < before + 20) await new Promise((resolve) => setImmediate(resolve));
  isOver = true;
  await Promise.all(writers);
  const stored = new Set((await feedOf(store)).map(({ recordId }) => recordId));
  expect(confirmed.filter((recordId) => !stored.has(recordId))).toEqual([]);
  expect(busy).toBeGreaterThan(0);
});

async function fixture() {
  const opened = await openPostgresFixture(inject('postgresUrl'));
  onTestFinished(() => opened.remove());
  return opened;
}

/** A store, an application's table beside it, and servers on both. */
async function application(url: string) {
  const { store, schema, connect } = await fixture();
  const pool = connect();
  const table = `${quoteSchema(schema)}.writes`;
  await pool.query(`CREATE TABLE ${table} (mutation_id text COLLATE "C" NOT NULL)`);
  return {
    store,
    table,
    async writes(): Promise<readonly string[]> {
      const { rows } = await pool.query<{ mutation_id: string }>(
        `SELECT mutation_id FROM ${table} ORDER BY mutation_id`,
      );
      return rows.map(({ mutation_id }) => mutation_id);
    },
    async startServer() {
      const script = fileURLToPath(new URL('postgres-sync-server.fixture.ts', import.meta.url));
      const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', script, url, schema, table], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      onTestFinished(() => void child.kill('SIGKILL'));
      if (!child.stdout) throw new Error('The server was started without a pipe for its output.');
      const [line] = await once(createInterface(child.stdout), 'line');
      return { process: child, port: Number(line) };
    },
  };
}

/** A push of one new record, named after its mutation. */
function pushOf(clientId: string, sequence: number): SyncPushRequest {
  const id = `${clientId}-${sequence}`;
  const mutation = {
    id,
    objectName: 'task',
    recordId: id,
    operation: 'create',
    data: { title: id },
    timestamp: '2026-01-01T00:00:00.000Z',
    clientId,
    sequence,
    baseVersion: null,
  } as const;
  return {
    clientId,
    logId: `log-of-${clientId}`,
    protocol: 2,
    lastCheckpoint: null,
    pull: false,
    mutations: [mutation],
  };
}

/** Sends until some server applies it, as a client does. */
async function pushUntilAnswered(port: () => number, body: SyncPushRequest): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port()}/api/sync/push`, post(body)).catch(() => undefined);
    if (answer?.status === 200) {
      const { results } = (await answer.json()) as SyncPushResponse;
      if (results[0]?.status === 'applied') return;
      if (results[0]?.status === 'rejected' && results[0].retryable) continue;
      throw new Error(`The push was answered ${JSON.stringify(results)}.`);
    }
    if (answer && answer.status < 500)
      throw new Error(`The push was answered ${answer.status}: ${await answer.text()}`);
    await answer?.body?.cancel();
  }
}

function busy(): Error {
  return new StoreBusyError('A fault of this test.');
}
