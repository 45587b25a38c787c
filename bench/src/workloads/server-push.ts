/** W1s: what the server's side of a push costs alone, against the same records and a log written by hand. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SyncHandler } from '@objectql/protocol-sync';
import Database from 'libsql';
import pg from 'pg';
import { type Case, type Measured, oursOf } from '../case.js';
import { digestAfter, digestOf } from '../data/digest.js';
import { OBJECT_NAME, type TaskChange } from '../data/task.js';
import { pushData } from '../data/workload-data.js';
import { Meter } from '../process/meter.js';
import { openStore, Seeder } from '../process/sync-server.js';
import { timed } from './stopwatch.js';

/** Mutations of a transaction where the case does not say: what a client sends by default. */
const DEFAULT_BATCH = 50;

export async function serverPush(asked: Case): Promise<Measured> {
  const { existing, creates, updates } = pushData(asked.size);
  const changes = [...creates, ...updates];
  const expected = digestAfter([...existing, ...changes]);
  const writer = await openWriter(asked);
  await writer.seed(existing);
  const batches = Math.ceil(changes.length / (asked.batch ?? DEFAULT_BATCH));
  const batchOf = (n: number) => changes.slice((n * changes.length) / batches, ((n + 1) * changes.length) / batches);
  const meter = new Meter();
  await meter.start();
  const ms = await timed(async () => {
    for (let n = 0; n < batches; n++) await writer.write(batchOf(n));
  });
  const used = await meter.stop();
  const isVerified = (await writer.digest()) === expected;
  await writer.close();
  return { ops: changes.length, ms, used, isVerified };
}

interface Writer {
  seed(changes: readonly TaskChange[]): Promise<void>;
  /** Makes the changes, in one transaction that is durable when it resolves. */
  write(changes: readonly TaskChange[]): Promise<void>;
  digest(): Promise<string>;
  close(): Promise<void>;
}

function openWriter(asked: Case): Promise<Writer> {
  switch (asked.contestant) {
    case 'raw-sqlite':
      return openRawSqlite();
    case 'raw-postgres':
      return openRawPostgres(asked.postgresUrl ?? '');
    default:
      return openHandler(asked);
  }
}

async function openHandler(asked: Case): Promise<Writer> {
  const { store, remove } = await openStore(oursOf(asked).store);
  const maxMutations = asked.batch ?? DEFAULT_BATCH;
  const handler = new SyncHandler({ store, strategy: 'last-write-wins', limits: { maxMutations } });
  const seeder = new Seeder(store);
  const created = new Set<string>();
  let sequence = 0;
  let lastCheckpoint: string | null = null;
  return {
    async seed(changes) {
      await seeder.apply(changes);
      for (const [id] of changes) created.add(id);
      lastCheckpoint = await readAll(handler, () => {});
    },
    async write(changes) {
      const mutations = changes.map(([recordId, data]) => {
        const isKnown = created.has(recordId);
        sequence += 1;
        return {
          id: `mutation-${sequence}`,
          clientId: 'device',
          objectName: OBJECT_NAME,
          recordId,
          operation: isKnown ? ('update' as const) : ('create' as const),
          data,
          timestamp: '2026-01-01T00:00:00.000Z',
          sequence,
          baseVersion: isKnown ? 1 : null,
        };
      });
      const request = { clientId: 'device', logId: 'device-log', protocol: 2 as const, lastCheckpoint, mutations };
      const answer = await handler.handlePush(request);
      const isApplied = answer.results.every(({ status }) => status === 'applied');
      if (!isApplied) throw new Error('A mutation was not applied.');
      lastCheckpoint = answer.checkpoint;
    },
    async digest() {
      const records: [string, object][] = [];
      await readAll(handler, (id, data) => records.push([id, data]));
      return digestOf(records);
    },
    close: remove,
  };
}

async function readAll(handler: SyncHandler, take: (id: string, data: object) => void): Promise<string> {
  let lastCheckpoint: string | null = null;
  for (;;) {
    const page = await handler.handlePull({ clientId: 'reader', protocol: 2, lastCheckpoint });
    for (const { recordId, data } of page.serverChanges) if (data) take(String(recordId), data);
    lastCheckpoint = page.checkpoint;
    if (!page.hasMore) return page.checkpoint;
  }
}

/** Two statements a change: the merged record, and an entry of a log. As durable as the sync store. */
async function openRawSqlite(): Promise<Writer> {
  const folder = await mkdtemp(join(tmpdir(), 'objectql-sync-bench-'));
  const database = new Database(join(folder, 'raw.sqlite'));
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE records (id TEXT PRIMARY KEY, data TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE log (place INTEGER PRIMARY KEY, id TEXT NOT NULL, data TEXT NOT NULL)`);
  const save = database.prepare(`INSERT INTO records VALUES (?, ?)
    ON CONFLICT (id) DO UPDATE SET data = json_patch(data, excluded.data)`);
  const append = database.prepare('INSERT INTO log (id, data) VALUES (?, ?)');
  const write = async (changes: readonly TaskChange[]) => {
    database.exec('BEGIN IMMEDIATE');
    for (const [id, data] of changes) {
      const text = JSON.stringify(data);
      save.run(id, text);
      append.run(id, text);
    }
    database.exec('COMMIT');
  };
  return {
    seed: write,
    write,
    async digest() {
      const rows = database.prepare('SELECT id, data FROM records').all() as { id: string; data: string }[];
      return digestOf(rows.map(({ id, data }) => [id, JSON.parse(data)]));
    },
    async close() {
      database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** One statement for all changes: the merged records, and their entries in a log. */
async function openRawPostgres(url: string): Promise<Writer> {
  const schema = `raw_${process.pid}_${Date.now()}`;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`CREATE SCHEMA ${schema};
    CREATE TABLE ${schema}.records (id text PRIMARY KEY, data jsonb NOT NULL);
    CREATE TABLE ${schema}.log (place bigserial PRIMARY KEY, id text NOT NULL, data jsonb NOT NULL)`);
  const text = `
    WITH asked AS (SELECT * FROM unnest($1::text[], $2::jsonb[]) AS t (id, data)),
      appended AS (INSERT INTO ${schema}.log (id, data) SELECT id, data FROM asked)
    INSERT INTO ${schema}.records AS r (id, data) SELECT id, data FROM asked
    ON CONFLICT (id) DO UPDATE SET data = r.data || excluded.data`;
  const write = async (changes: readonly TaskChange[]) => {
    const values = [changes.map(([id]) => id), changes.map(([, data]) => JSON.stringify(data))];
    await client.query({ name: 'write', text, values });
  };
  return {
    seed: write,
    write,
    async digest() {
      const { rows } = await client.query(`SELECT id, data FROM ${schema}.records`);
      return digestOf((rows as { id: string; data: object }[]).map(({ id, data }) => [id, data]));
    },
    async close() {
      await client.query(`DROP SCHEMA ${schema} CASCADE`);
      await client.end();
    },
  };
}
