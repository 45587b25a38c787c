import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { SyncPushRequest, SyncPushResponse } from '@objectql/sync-types';
import fc from 'fast-check';
import { expect, inject, onTestFinished, test } from 'vitest';
import { bundleProgram } from '../../../../../scripts/build/bundle-program.js';
import { post } from '../../http/requests.fixture.js';
import { SyncHandler } from '../../sync-handler.js';
import { withStoreFaults } from '../../testing/store-faults.js';
import { feedOf, look } from '../contract/store-samples.js';
import { StoreBusyError } from '../sync-store.js';
import { openPostgresFixture } from './postgres-database.fixture.js';
import { writesResolver } from './postgres-resolver.fixture.js';
import { quoteSchema } from './postgres-schema.js';

const CLIENTS = 6;
const PUSHES = 15;
const KILLS = 3;

test('applies every mutation once while random servers are killed and requests arrive twice', async () => {
  const seed = Number(process.env.SYNC_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`The kills are drawn from SYNC_TEST_SEED=${seed}.`);
  const kills = new Map(drawKills(seed));
  const app = await application(inject('postgresUrl'));
  const servers = [app.startServer(), app.startServer(), app.startServer()];
  await Promise.all(servers);
  let done = 0;
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    for (let n = 1; n <= PUSHES; n++) {
      const body = pushOf(`client-${client}`, n);
      const target = async (offset: number) => (await servers[(client + n + offset) % servers.length])?.port ?? 0;
      // Twice at the same moment, on two servers.
      await Promise.all([pushUntilAnswered(() => target(0), body), pushUntilAnswered(() => target(1), body)]);
      done += 1;
      const victim = kills.get(done);
      if (victim === undefined) continue;
      (await servers[victim])?.process.kill('SIGKILL');
      // At once, so that nobody asks for the port of the dead one, which the system may give to somebody else.
      servers[victim] = app.startServer();
    }
  });
  await Promise.all(clients);
  await Promise.all(servers);
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

test('makes its tables once when three processes start on an empty database and are pushed to at once', async () => {
  const app = await application(inject('postgresUrl'));
  const schema = `${app.schema} new`;
  const servers = await Promise.all(Array.from({ length: 3 }, () => app.startServer(schema)));
  await Promise.all(servers.map(({ port }, n) => pushUntilAnswered(async () => port, pushOf(`client-${n}`, 1))));
  const store = await app.openStore({ schema });
  expect((await feedOf(store)).map(({ recordId }) => recordId).toSorted()).toEqual([
    'client-0-1',
    'client-1-1',
    'client-2-1',
  ]);
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
      const broken = new SyncHandler({ store: withStoreFaults(app.store, [{ nth: 1, step, when, error: busy() }]) });
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

/** Behind how many answered pushes which server is killed; one kill falls early, one in the middle, one late. */
function drawKills(seed: number): readonly (readonly [done: number, victim: number])[] {
  const third = Math.floor((CLIENTS * PUSHES) / KILLS);
  const kill = fc.tuple(fc.integer({ min: 1, max: third - 1 }), fc.integer({ min: 0, max: 2 }));
  return fc
    .sample(kill, { seed, numRuns: KILLS })
    .map(([after, victim], index) => [index * third + after, victim] as const);
}

async function fixture() {
  const opened = await openPostgresFixture(inject('postgresUrl'));
  onTestFinished(() => opened.remove());
  return opened;
}

/** A store, an application's table beside it, and servers on both. */
async function application(url: string) {
  const { store, schema, connect, openStore } = await fixture();
  const pool = connect();
  const table = `${quoteSchema(schema)}.writes`;
  await pool.query(`CREATE TABLE ${table} (mutation_id text COLLATE "C" NOT NULL)`);
  return {
    store,
    schema,
    table,
    /** Opens a store on another schema of the database, which goes when the test ends. */
    async openStore({ schema: another }: { readonly schema: string }) {
      onTestFinished(() => pool.query(`DROP SCHEMA ${quoteSchema(another)} CASCADE`).then(() => {}));
      return openStore({ schema: another });
    },
    async writes(): Promise<readonly string[]> {
      const { rows } = await pool.query<{ mutation_id: string }>(
        `SELECT mutation_id FROM ${table} ORDER BY mutation_id`,
      );
      return rows.map(({ mutation_id }) => mutation_id);
    },
    async startServer(ofSchema = schema) {
      const script = await bundleProgram(fileURLToPath(new URL('postgres-sync-server.fixture.ts', import.meta.url)));
      const child: ChildProcess = spawn(process.execPath, [script, url, ofSchema, table], {
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
async function pushUntilAnswered(port: () => Promise<number>, body: SyncPushRequest): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${await port()}/api/sync/push`, post(body)).catch(() => undefined);
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
