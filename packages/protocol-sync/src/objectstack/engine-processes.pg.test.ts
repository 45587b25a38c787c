/** Processes of an ObjectStack application are killed while devices push to it: nothing is lost, and nothing done twice. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { SyncPushRequest, SyncPushResponse } from '@objectql/sync-types';
import { SqlDriver } from '@objectstack/driver-sql';
import fc from 'fast-check';
import { expect, inject, it, onTestFinished } from 'vitest';
import { bundleProgram } from '../../../../scripts/build/bundle-program.js';
import { post } from '../http/requests.fixture.js';
import { feedOf, look } from '../storage/contract/store-samples.js';
import { openPostgresFixture } from '../storage/postgres/postgres-database.fixture.js';
import { EngineStore } from './engine-store.js';
import { startKernel } from './kernel.fixture.js';

const CLIENTS = 4;
/** 1, because each costs the seconds that ObjectStack takes to start: `SYNC_TEST_KILLS=50` for more. */
const KILLS = Number(process.env.SYNC_TEST_KILLS ?? 1);
/** 4 pushes of each client between two kills, so that each falls into work of several. */
const PUSHES = 4 * (KILLS + 1);
/** 20 ms: about as long as a push takes, so that a kill falls anywhere in it. */
const LONGEST_DELAY_MS = 20;

it('I1 I2 I11 applies every mutation once while an ObjectStack application is killed', {
  timeout: 600_000 * KILLS,
}, async () => {
  const seed = Number(process.env.SYNC_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`The kills are drawn from SYNC_TEST_SEED=${seed}.`);
  const app = await application(inject('postgresUrl'));
  // The first process makes the tables: what two make of them at once is ObjectStack's own affair.
  const first = app.startServer();
  await first;
  const servers = [first, app.startServer()];
  const kills = drawKills(seed);
  let done = 0;
  const kill = async () => {
    const due = kills.shift();
    if (!due) return;
    const victim = await servers[due.victim];
    setTimeout(() => {
      victim?.process.kill('SIGKILL');
      servers[due.victim] = app.startServer();
    }, due.delayMs);
  };
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    for (let n = 1; n <= PUSHES; n++) {
      const body = pushOf(`client-${client}`, n);
      const target = async (offset: number) => (await servers[(client + n + offset) % servers.length])?.port ?? 0;
      // Twice at the same moment, on two servers.
      await Promise.all([pushUntilAnswered(() => target(0), body), pushUntilAnswered(() => target(1), body)]);
      done += 1;
      if (done % (CLIENTS * 4) === CLIENTS * 2) await kill();
    }
  });
  await Promise.all(clients);
  expect(kills).toEqual([]);
  await Promise.all(servers);
  const { engine, store } = await app.open();
  const ids = Array.from({ length: CLIENTS }, (_, client) => `client-${client}`);
  const feed = await feedOf(store);
  const mutationIds = ids.flatMap((id) => Array.from({ length: PUSHES }, (_, n) => `${id}-${n + 1}`));
  const rows = await engine.find('task', {}, { context: { isSystem: true } });
  expect([
    feed.map(({ recordId, version }) => [recordId, version]).toSorted(),
    (await look(store, { mutationIds })).ledger.length,
    rows.map(({ id, title }) => [id, title]).toSorted(),
  ]).toEqual([ids.map((id) => [id, PUSHES]), mutationIds.length, ids.map((id) => [id, `${id}-${PUSHES}`])]);
});

function drawKills(seed: number): { readonly victim: number; readonly delayMs: number }[] {
  const kill = fc.record({ victim: fc.integer({ min: 0, max: 1 }), delayMs: fc.nat(LONGEST_DELAY_MS) });
  return fc.sample(kill, { seed, numRuns: KILLS });
}

/** A schema of its own, the processes of an application on it, and what they left there. */
async function application(url: string) {
  const { schema, remove } = await openPostgresFixture(url);
  onTestFinished(() => remove());
  return {
    async startServer() {
      const script = await bundleProgram(fileURLToPath(new URL('engine-server.fixture.ts', import.meta.url)));
      const child = spawn(process.execPath, [script, url, schema], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      onTestFinished(() => void child.kill('SIGKILL'));
      if (!child.stdout) throw new Error('The server was started without a pipe for its output.');
      for await (const line of createInterface(child.stdout)) {
        const [, port] = /^port (\d+)$/.exec(line) ?? [];
        if (port) return { process: child, port: Number(port) };
      }
      throw new Error('The server ended before it was ready.');
    },
    async open() {
      const fields = { title: { type: 'text', label: 'Title' } };
      const { engine, stop } = await startKernel({
        objects: [{ name: 'task', label: 'Task', fields }],
        driver: new SqlDriver({ client: 'pg', connection: url, searchPath: [schema] }),
      });
      const store = new EngineStore(engine);
      await store.open();
      onTestFinished(async () => {
        await store.close();
        await stop();
      });
      return { engine, store };
    },
  };
}

/** One record a client, which each of its pushes writes: its version is the number of pushes that were applied. */
function pushOf(clientId: string, sequence: number): SyncPushRequest {
  const id = `${clientId}-${sequence}`;
  const mutation = {
    id,
    objectName: 'task',
    recordId: clientId,
    operation: sequence === 1 ? 'create' : 'update',
    data: { title: id },
    timestamp: '2026-01-01T00:00:00.000Z',
    clientId,
    sequence,
    baseVersion: sequence === 1 ? null : sequence - 1,
  } as const;
  const request = { clientId, logId: `log-of-${clientId}`, protocol: 2, lastCheckpoint: null, pull: false } as const;
  return { ...request, mutations: [mutation] };
}

/** Sends until some server applies it, as a client does. */
async function pushUntilAnswered(port: () => Promise<number>, body: SyncPushRequest): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${await port()}/api/sync/push`, post(body)).catch(() => undefined);
    if (answer && answer.status < 500) {
      const { results } = (await answer.json()) as SyncPushResponse;
      const [result] = results ?? [];
      if (result?.status === 'applied') return;
      if (result?.status === 'rejected' && result.retryable) continue;
      throw new Error(`The push was answered ${answer.status} ${JSON.stringify(results)}.`);
    }
    await answer?.body?.cancel();
  }
}
