/** Our server, as an application runs it: `SyncHandler` behind `node:http`, records kept in the sync store itself. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createSyncEndpoint,
  MemoryStore,
  PostgresStore,
  SqliteStore,
  SyncHandler,
  type SyncStore,
} from '@objectql/protocol-sync';
import { toNodeHandler } from '@objectql/protocol-sync/node';
import type { SyncServerChange } from '@objectql/sync-types';
import Database from 'libsql';
import pg from 'pg';
import { digestOf } from '../data/digest.js';
import { OBJECT_NAME, type TaskChange } from '../data/task.js';
import { type BenchServer, listen, type StoreKind } from './bench-server.js';

export interface OpenedStore {
  readonly store: SyncStore;
  /** Closes the store and deletes what it kept. */
  remove(): Promise<void>;
}

/** A new, empty store of that kind, as durable as it comes: every answer is on the disk before it is given. */
export async function openStore(kind: StoreKind): Promise<OpenedStore> {
  switch (kind.type) {
    case 'memory': {
      const store = new MemoryStore();
      return { store, remove: () => store.close() };
    }
    case 'sqlite': {
      const folder = await mkdtemp(join(tmpdir(), 'objectql-sync-bench-'));
      const database = new Database(join(folder, 'server.sqlite'));
      const store = new SqliteStore(database);
      return {
        store,
        async remove() {
          await store.close();
          database.close();
          await rm(folder, { recursive: true, force: true });
        },
      };
    }
    case 'postgres': {
      const schema = `bench_${process.pid}_${Date.now()}`;
      const pool = new pg.Pool({ connectionString: kind.url, max: 4 });
      const store = new PostgresStore({ pool, schema });
      return {
        store,
        async remove() {
          await store.close();
          await pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
          await pool.end();
        },
      };
    }
  }
}

/** Writes many changes in few transactions, as a device of its own would send them. */
export class Seeder {
  readonly #handler: SyncHandler;
  readonly #known = new Set<string>();
  #sequence = 0;

  constructor(store: SyncStore) {
    this.#handler = new SyncHandler({ store, strategy: 'last-write-wins', limits: { maxMutations: SEED_BATCH } });
  }

  async apply(changes: readonly TaskChange[]): Promise<void> {
    for (let from = 0; from < changes.length; from += SEED_BATCH) {
      const mutations = changes.slice(from, from + SEED_BATCH).map((change) => this.#mutation(change));
      const request = {
        clientId: CLIENT_ID,
        logId: 'seed-log',
        protocol: 2 as const,
        lastCheckpoint: null,
        pull: false,
      };
      const { results } = await this.#handler.handlePush({ ...request, mutations });
      const failed = results.find(({ status }) => status !== 'applied');
      if (failed) throw new Error(`Seeding failed: ${JSON.stringify(failed)}`);
    }
  }

  #mutation([recordId, data]: TaskChange) {
    const isKnown = this.#known.has(recordId);
    this.#known.add(recordId);
    this.#sequence += 1;
    return {
      id: `seed-${this.#sequence}`,
      clientId: CLIENT_ID,
      objectName: OBJECT_NAME,
      recordId,
      operation: isKnown ? ('update' as const) : ('create' as const),
      data,
      timestamp: new Date().toISOString(),
      sequence: this.#sequence,
      baseVersion: isKnown ? 1 : null,
    };
  }
}

const CLIENT_ID = 'seed-device';
const SEED_BATCH = 5000;

export async function startSyncServer(kind: StoreKind, maxMutations: number | undefined): Promise<BenchServer> {
  const { store, remove } = await openStore(kind);
  const limits = maxMutations === undefined ? {} : { maxMutations };
  const handler = new SyncHandler({ store, strategy: 'last-write-wins', limits });
  const seeder = new Seeder(store);
  const server = createServer(toNodeHandler(createSyncEndpoint({ handler, realtime: true })));
  const { port, bytes } = await listen(server);
  return {
    port,
    bytes,
    apply: (changes) => seeder.apply(changes),
    digest: async () => {
      const records: [string, object][] = [];
      await walkFeed(handler, (changes) => {
        for (const { recordId, data } of changes) if (data) records.push([String(recordId), data]);
      });
      return digestOf(records);
    },
    checkpoint: () => walkFeed(handler, () => {}),
    async close() {
      server.close();
      await remove();
    },
  };
}

/** Reads the whole feed, page by page; answers the checkpoint at its end. */
async function walkFeed(handler: SyncHandler, take: (changes: readonly SyncServerChange[]) => void): Promise<string> {
  let lastCheckpoint: string | null = null;
  for (;;) {
    const page = await handler.handlePull({ clientId: 'bench', protocol: 2, lastCheckpoint });
    take(page.serverChanges);
    lastCheckpoint = page.checkpoint;
    if (!page.hasMore) return page.checkpoint;
  }
}
