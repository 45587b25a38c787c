/** Whatever clients push and read, and however the network to the database fails, each mutation counts once and nothing is missed. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MutationLogEntry } from '@objectql/sync-types';
import fc from 'fast-check';
import pg from 'pg';
import { expect, inject, it } from 'vitest';
import { systemPlatform } from '../../platform/platform.js';
import { storeResolver } from '../../records/record-resolver.js';
import { SyncHandler } from '../../sync-handler.js';
import { faultyProxy } from './faulty-proxy.fixture.js';
import { answered, PlainLog } from './plain-log.fixture.js';
import { PlainReader } from './plain-reader.fixture.js';
import { openPostgresFixture } from './postgres-database.fixture.js';
import {
  CLIENTS,
  type Held,
  type History,
  histories,
  READERS,
  type Step,
  type Turn,
} from './postgres-histories.contract.js';
import { PostgresOracle } from './postgres-oracle.fixture.js';
import { writesResolver } from './postgres-resolver.fixture.js';
import { quoteSchema } from './postgres-schema.js';
import { PostgresStore } from './postgres-store.js';

/** 8 histories, which take a few seconds: `SYNC_TEST_HISTORIES=1000` for more. */
const HISTORIES = Number(process.env.SYNC_TEST_HISTORIES ?? 8);

/** Waits of seconds last a fiftieth. */
const PACE = 50;
/** 50 ms: a lock that is held is waited for five times. */
const LOCK_TIMEOUT_MS = 50;
const MINUTE_MS = 60_000;

const soon = <T>(seen: () => T) => expect.poll(seen, { interval: 1 });

it('I2 I4 I5 counts each mutation once and lets readers miss nothing, after any history', {
  timeout: 600_000 + HISTORIES * 10_000,
}, async () => {
  // Not shrunk: how requests meet differs from run to run.
  await fc.assert(
    fc.asyncProperty(histories, async (history) => {
      await using world = await openWorld(history);
      for (const turn of history.turns) {
        await world.take(turn);
        await world.check();
      }
    }),
    { numRuns: HISTORIES, endOnFailure: true },
  );
});

/** Servers on one database, each behind a network of its own; their clients, and somebody who holds locks. */
async function openWorld(history: History) {
  const url = inject('postgresUrl');
  const { schema, connect, remove } = await openPostgresFixture(url);
  const tables = quoteSchema(schema);
  const writes = `${tables}.writes`;
  const outside = connect();
  await outside.query(`CREATE TABLE ${writes} (mutation_id text COLLATE "C" NOT NULL)`);
  let now = Date.parse('2026-03-01T12:00:00.000Z');
  const platform = {
    ...systemPlatform,
    now: () => now,
    setTimer: (work: () => void, delayMs: number) => systemPlatform.setTimer(work, delayMs / PACE),
  };
  const resolver = history.isTransactional ? writesResolver(writes) : storeResolver;
  const acknowledged = new Map<string, number>();
  const logs = Array.from({ length: CLIENTS }, (_, n) => new PlainLog(`client${n}`, acknowledged));
  const readers = Array.from({ length: READERS }, () => new PlainReader(acknowledged));
  const servers = await Promise.all(history.pools.map((max, n) => openServer(`${n} ${schema}`, max)));
  const oracle = new PostgresOracle({ pool: outside, tables, hasResolver: history.isTransactional });
  let hasPruned = false;

  async function openServer(name: string, max: number) {
    const terminate = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1';
    const proxy = await faultyProxy(url, () => void outside.query(terminate, [name]));
    const pool = new pg.Pool({
      connectionString: proxy.url,
      max,
      application_name: name,
      pipeline: history.isPipelined,
      // As an application should say it: a connection that falls silent while it is made has its place in the pool.
      connectionTimeoutMillis: 1000,
      idleTimeoutMillis: 0,
    });
    pool.on('error', () => {});
    const start = () => {
      const store = new PostgresStore({ pool, schema, platform, lockTimeoutMs: LOCK_TIMEOUT_MS });
      const limits = { maxPageRecords: 3 };
      const handler = new SyncHandler({ store, resolver, platform, limits, onWarning: () => {} });
      const heads: number[] = [];
      // That takes a connection.
      const isListening = max > 1;
      if (isListening) store.onCommit((head) => heads.push(head));
      return { store, handler, heads, isListening };
    };
    let running = start();
    return {
      name,
      proxy,
      pool,
      running: () => running,
      async restart(): Promise<void> {
        const { handler } = running;
        running = start();
        await handler.close();
      },
    };
  }

  /** `nth` of them, whatever number was drawn. */
  function one<T>(list: readonly T[], nth: number): T {
    const found = list[nth % list.length];
    if (found === undefined) throw new Error('There is none.');
    return found;
  }

  /** Steps of one lane follow each other; each is a function that tries once, and answers whether it is done. */
  function planOf(step: Step): { readonly lane: string; readonly attempt: () => Promise<boolean> } {
    const handlerOf = (nth: number) => one(servers, nth).running().handler;
    const storeOf = async (nth: number) => {
      // The first request opens it.
      await handlerOf(nth).handlePull({ clientId: 'opener', lastCheckpoint: null, objects: [] });
      return one(servers, nth).running().store;
    };
    switch (step.kind) {
      case 'push': {
        const log = one(logs, step.client);
        let batch: readonly MutationLogEntry[] | undefined;
        const attempt = async () => {
          batch ??= log.record(step.drafts);
          const sent = batch;
          return (await Promise.all(step.processes.map((nth) => log.send(handlerOf(nth), sent)))).includes(true);
        };
        return { lane: log.name, attempt };
      }
      case 'push again': {
        const log = one(logs, step.client);
        const attempt = async () =>
          log.batches.length === 0 || log.send(handlerOf(step.process), one(log.batches, step.nth), hasPruned);
        return { lane: log.name, attempt };
      }
      case 'pull':
        return {
          lane: `reader ${step.reader}`,
          attempt: () => one(readers, step.reader).pull(handlerOf(step.process), step.limit),
        };
      case 'prune': {
        // What was written before this turn.
        const slice = { before: now, limit: 3 };
        const prune = async () => {
          const store = await storeOf(step.process);
          hasPruned = true;
          return store.prune(slice);
        };
        return { lane: `pruner ${step.process}`, attempt: async () => (await answered(prune())) !== undefined };
      }
      case 'change epoch': {
        const change = async () => (await storeOf(step.process)).changeEpoch();
        return { lane: `operator ${step.process}`, attempt: async () => (await answered(change())) !== undefined };
      }
      case 'restart':
        return {
          lane: `operator ${step.process}`,
          attempt: async () => {
            await one(servers, step.process).restart();
            return true;
          },
        };
    }
  }

  /** Takes a lock, if nobody has it; answers how to give it back. */
  async function hold(held: Held): Promise<() => Promise<void>> {
    const text = {
      feed: `SELECT FROM ${tables}.objectql_sync_feed FOR UPDATE`,
      logs: `SELECT FROM ${tables}.objectql_sync_logs FOR UPDATE`,
      records: `SELECT FROM ${tables}.objectql_sync_records FOR UPDATE`,
      'turn to prune': 'SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM (VALUES ($1)) AS locked (name)',
    }[held];
    const client = await outside.connect();
    await client.query('BEGIN');
    await client.query(text, held === 'turn to prune' ? [`objectql_sync prune ${schema}`] : []);
    return async () => {
      await client.query('COMMIT');
      client.release();
    };
  }

  async function until(isDone: () => Promise<boolean>): Promise<void> {
    while (!(await isDone())) await nextTurn();
  }

  async function connectionsOf(name: string): Promise<readonly string[]> {
    const text = "SELECT coalesce(state, '') AS state FROM pg_stat_activity WHERE application_name = $1";
    return (await outside.query<{ state: string }>(text, [name])).rows.map(({ state }) => state);
  }

  return {
    async take({ steps, faults, held, tries }: Turn): Promise<void> {
      now += MINUTE_MS;
      const giveBack = await Promise.all(held.map(hold));
      for (const [n, { proxy }] of servers.entries()) proxy.arm(faults.filter(({ process }) => process === n));
      const lanes = new Map<string, (() => Promise<boolean>)[]>();
      for (const { lane, attempt } of steps.map(planOf)) lanes.set(lane, [...(lanes.get(lane) ?? []), attempt]);
      try {
        await Promise.all(
          [...lanes.values()].map(async (attempts) => {
            for (let failed = 0; attempts[0] && failed < tries; ) {
              if (await attempts[0]()) attempts.shift();
              else failed += 1;
            }
          }),
        );
      } finally {
        for (const { proxy } of servers) proxy.heal();
        for (const done of giveBack) await done();
      }
      await Promise.all(
        [...lanes.values()].map(async (attempts) => {
          for (const attempt of attempts) await until(attempt);
        }),
      );
      // What was given up may still be under way.
      for (const { name } of servers) {
        await soon(async () => (await connectionsOf(name)).filter((state) => state !== 'idle')).toEqual([]);
      }
    },

    async check(): Promise<void> {
      const { records, head } = await oracle.check(logs);
      for (const [n, reader] of readers.entries()) {
        await until(() => reader.pull(one(servers, n).running().handler, 2));
        expect(reader.records).toEqual(records);
      }
      for (const { name, pool, running } of servers) {
        const { heads, isListening, handler } = running();
        const request = { clientId: 'opener', lastCheckpoint: null, objects: [] };
        await until(async () => (await answered(handler.handlePull(request))) !== undefined);
        // Since its start, there may have been no commit.
        await soon(() => heads.at(-1) ?? head).toBe(head);
        expect(heads).toEqual([...new Set(heads)].toSorted((a, b) => a - b));
        await soon(() => [pool.totalCount - pool.idleCount, pool.waitingCount]).toEqual([isListening ? 1 : 0, 0]);
        await soon(async () => (await connectionsOf(name)).length - pool.totalCount).toBe(0);
      }
    },

    async [Symbol.asyncDispose]() {
      for (const { pool, proxy, running } of servers) {
        await running().handler.close();
        const left = pool.totalCount - pool.idleCount;
        proxy.close();
        expect(left).toBe(0);
        await pool.end();
      }
      await remove();
    },
  };
}
