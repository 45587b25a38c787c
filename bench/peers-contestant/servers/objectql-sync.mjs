// Our server for the harness: `node objectql-sync.mjs memory|sqlite|postgres`.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSyncEndpoint, MemoryStore, PostgresStore, SqliteStore, SyncHandler } from '@objectql/protocol-sync';
import { toNodeHandler } from '@objectql/protocol-sync/node';
import { rpc, track } from '../lib/server-kit.mjs';
import { digest, makeRecord, makeUpdate, prng, recId } from '../lib/workload.mjs';

const store = await openStore(process.argv[2]);
const handler = new SyncHandler({ store, strategy: 'last-write-wins' });
const seeding = new SyncHandler({ store, strategy: 'last-write-wins', limits: { maxMutations: 5000 } });
const server = createServer({ keepAliveTimeout: 120_000 }, toNodeHandler(createSyncEndpoint({ handler })));
const bytes = track(server);
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const seeded = { sequence: 0, count: 0 };

rpc({
  port: () => server.address().port,
  bytes: () => bytes(),
  async seed(count) {
    for (let from = 0; from < count; from += 5000) {
      const to = Math.min(count, from + 5000);
      await write(Array.from({ length: to - from }, (_, n) => ['create', recId(from + n), makeRecord(from + n)]));
    }
    seeded.count = count;
    return count;
  },
  async change(count, seed) {
    const random = prng(seed);
    const changes = Array.from({ length: count }, (_, n) => {
      const id = recId(Math.floor(random() * seeded.count));
      const { field, value } = makeUpdate(seed * 1000 + n, random);
      return ['update', id, { [field]: value }];
    });
    await write(changes);
    return count;
  },
  async digest() {
    const records = [];
    for (let lastCheckpoint = null, hasMore = true; hasMore; ) {
      const page = await handler.handlePull({ clientId: 'digest', protocol: 2, lastCheckpoint });
      for (const { recordId, data } of page.serverChanges) if (data) records.push([recordId, data]);
      ({ checkpoint: lastCheckpoint, hasMore } = page);
    }
    return digest(records);
  },
});

async function write(changes) {
  const mutations = changes.map(([operation, recordId, data]) => {
    seeded.sequence += 1;
    return {
      id: `seed-${seeded.sequence}`,
      clientId: 'seed',
      objectName: 'task',
      recordId,
      operation,
      data,
      timestamp: new Date().toISOString(),
      sequence: seeded.sequence,
      baseVersion: operation === 'create' ? null : 1,
    };
  });
  const request = { clientId: 'seed', logId: 'seed-log', protocol: 2, lastCheckpoint: null, pull: false, mutations };
  const { results } = await seeding.handlePush(request);
  if (results.some(({ status }) => status !== 'applied')) throw new Error('A seed was not applied.');
}

async function openStore(kind) {
  if (kind === 'sqlite') {
    const { default: Database } = await import('libsql');
    const folder = mkdtempSync(join(tmpdir(), 'objectql-sync-peer-'));
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
    return new SqliteStore(new Database(join(folder, 'server.sqlite')));
  }
  if (kind === 'postgres') {
    const { default: pg } = await import('pg');
    const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 4 });
    return new PostgresStore({ pool, schema: `bench_${process.pid}_${Date.now()}` });
  }
  return new MemoryStore();
}
