/**
 * The figures of docs/scaling.md: `npx tsx scripts/measure/postgres-scaling.ts`. Runs the handler on the PostgreSQL at
 * DATABASE_URL, or on one of its own, in this process and without HTTP; takes a minute.
 */
import { loadavg } from 'node:os';
import {
  openPostgresFixture,
  type PostgresFixture,
} from '../../packages/protocol-sync/src/storage/postgres/postgres-database.fixture.js';
import { fill } from '../../packages/protocol-sync/src/storage/postgres/postgres-plans.fixture.js';
import { quoteSchema } from '../../packages/protocol-sync/src/storage/postgres/postgres-schema.js';
import { startPostgres } from '../../packages/protocol-sync/src/storage/postgres/postgres-server.fixture.js';
import { SyncHandler } from '../../packages/protocol-sync/src/sync-handler.js';

const own = process.env.DATABASE_URL ? undefined : await startPostgres();
const url = process.env.DATABASE_URL ?? own?.url ?? '';
try {
  console.log(`load average at the start: ${loadavg()[0]?.toFixed(1)}`);
  await measurePushes({ clients: 1, size: 1, pushes: 400 });
  await measurePushes({ clients: 8, size: 1, pushes: 1600 });
  await measurePushes({ clients: 8, size: 100, pushes: 160 });
  for (const records of [1000, 100_000, 1_000_000]) await measurePages(records);
  console.log(`load average at the end: ${loadavg()[0]?.toFixed(1)}`);
} finally {
  await own?.remove();
}

interface Load {
  readonly clients: number;
  /** Mutations in a push. */
  readonly size: number;
  readonly pushes: number;
}

async function measurePushes({ clients, size, pushes }: Load): Promise<void> {
  const fixture = await openPostgresFixture(url);
  const handler = new SyncHandler({ store: fixture.store });
  let started = 0;
  const push = (n: number) => handler.handlePush(pushOf(n, size));
  for (let n = 1; n <= 20; n++) await push(-n);
  const timesMs: number[] = [];
  const begin = performance.now();
  const lanes = Array.from({ length: clients }, async () => {
    while (started < pushes) {
      started += 1;
      const at = performance.now();
      const { results } = await push(started);
      timesMs.push(performance.now() - at);
      if (results.some(({ status }) => status !== 'applied'))
        throw new Error(`A push was answered ${JSON.stringify(results[0])}.`);
    }
  });
  await Promise.all(lanes);
  const rate = pushes / ((performance.now() - begin) / 1000);
  console.log(
    `pushes of ${size}, ${clients} clients: ${Math.round(rate)} a second, ${Math.round(rate * size)} mutations a second; ${spread(timesMs)}`,
  );
  await fixture.remove();
}

async function measurePages(records: number): Promise<void> {
  const fixture = await openPostgresFixture(url);
  await fill(fixture, { records, ledger: 0, logs: 1, intents: 0 });
  console.log(
    `with ${records} records stored (${await bytesPerRecord(fixture, records)} bytes each, indexes included):`,
  );
  const { store } = fixture;
  await time('a page of ten changes', () => store.page({ after: records - 10, limit: 500 }));
  await time('a page of 500', () => store.page({ after: 100, limit: 500 }));
  await time('a page of 500 of two objects', () =>
    store.page({ after: 100, limit: 500, objects: ['task', 'project'] }),
  );
  await fixture.remove();
}

async function time(what: string, work: () => Promise<unknown>): Promise<void> {
  for (let n = 0; n < 20; n++) await work();
  const timesMs: number[] = [];
  for (let n = 0; n < 200; n++) {
    const at = performance.now();
    await work();
    timesMs.push(performance.now() - at);
  }
  console.log(`  ${what}: ${spread(timesMs)}`);
}

async function bytesPerRecord({ connect, schema }: PostgresFixture, records: number): Promise<number> {
  const table = `${quoteSchema(schema)}.objectql_sync_records`;
  const { rows } = await connect().query('SELECT pg_total_relation_size($1::regclass) AS bytes', [table]);
  return Math.round(Number(rows[0].bytes) / records);
}

function spread(timesMs: readonly number[]): string {
  const sorted = timesMs.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(1);
  return `median ${at(0.5)} ms, 99 % within ${at(0.99)} ms`;
}

/** A push of new records, each push by a log of its own. */
function pushOf(n: number, size: number) {
  const clientId = `client${n}`;
  const mutations = Array.from({ length: size }, (_, index) => ({
    id: `${clientId}-${index}`,
    objectName: 'task',
    recordId: `${clientId}-${index}`,
    operation: 'create',
    data: { title: 'A task', status: 'open', assignee: 'ada' },
    timestamp: '2026-01-01T00:00:00.000Z',
    clientId,
    sequence: index + 1,
    baseVersion: null,
  }));
  return { clientId, logId: `log-${clientId}`, protocol: 2, lastCheckpoint: null, pull: false, mutations };
}
