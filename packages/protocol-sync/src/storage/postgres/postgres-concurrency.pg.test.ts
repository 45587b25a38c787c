import type pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import {
  feedOf,
  look,
  sampleIntent,
  sampleLog,
  sampleRow,
  sampleState,
  sampleTombstone,
  save,
  task,
  told,
} from '../contract/store-samples.js';
import { StoreBusyError, type StoreTransaction, type SyncStore } from '../sync-store.js';
import { openPostgresFixture } from './postgres-database.fixture.js';
import type { PostgresClient, PostgresPool } from './postgres-pool.js';
import { quoteSchema } from './postgres-schema.js';
import type { PostgresStore } from './postgres-store.js';

test('never lets a reader pass a place that commits later', async () => {
  const { connect, openStore, schema } = await fixture();
  const named = openStore({ pool: connect({ application_name: schema }) });
  const [first, second, reader] = await Promise.all([openStore(), named, openStore()]);
  const saved = gate();
  const mayCommit = gate();
  const slow = first.transaction(async (transaction) => {
    await loadAndSave(transaction, 'slow');
    saved.open();
    await mayCommit.opened;
  });
  await saved.opened;
  const fast = save(second, { records: [sampleState({ recordId: 'fast' })] });
  await untilWaiting(connect(), schema);
  const early = await reader.page({ after: 0, limit: 10 });
  mayCommit.open();
  await Promise.all([slow, fast]);
  const late = await reader.page({ after: early.facts.head, limit: 10 });
  expect([early.records, late.records.map(({ recordId, place }) => [recordId, place])]).toEqual([
    [],
    [
      ['slow', 1],
      ['fast', 2],
    ],
  ]);
});

test('a plain sequence would lose that row', async () => {
  const { connect, schema } = await fixture();
  const pool = connect();
  const table = `${quoteSchema(schema)}.by_sequence`;
  await pool.query(`CREATE TABLE ${table} (place bigserial PRIMARY KEY, name text)`);
  const [slow, fast] = await Promise.all([pool.connect(), pool.connect()]);
  await slow.query('BEGIN');
  await slow.query(`INSERT INTO ${table} (name) VALUES ('slow')`);
  await fast.query(`INSERT INTO ${table} (name) VALUES ('fast')`);
  const { rows: early } = await fast.query(`SELECT place::int, name FROM ${table}`);
  await slow.query('COMMIT');
  const { rows: late } = await fast.query(`SELECT place::int, name FROM ${table} WHERE place > $1`, [early[0].place]);
  slow.release();
  fast.release();
  expect([early, late]).toEqual([[{ place: 2, name: 'fast' }], []]);
});

test('gives a paging reader every change of many writers, each once and in order', async () => {
  const { openStore } = await fixture();
  const [reader, ...writers] = await Promise.all([openStore(), openStore(), openStore(), openStore()]);
  let isWriting = true;
  const writing = Promise.all(
    writers.flatMap((store, writer) =>
      Array.from({ length: 4 }, async (_, lane) => {
        for (let n = 0; n < 25; n++) {
          await save(store, { records: [sampleState({ recordId: `${writer}-${lane}-${n}` })] });
        }
      }),
    ),
  ).finally(() => {
    isWriting = false;
  });
  const places: number[] = [];
  for (let isLast = false; !isLast; ) {
    isLast = !isWriting;
    const { records } = await reader.page({ after: places.at(-1) ?? 0, limit: 7 });
    places.push(...records.map(({ place }) => place));
    if (records.length > 0) isLast = false;
  }
  await writing;
  expect(places).toEqual(Array.from({ length: 300 }, (_, index) => index + 1));
});

test('applies one mutation that two servers get at the same moment once', async () => {
  const { openStore } = await fixture();
  const servers = await Promise.all([openStore(), openStore()]);
  for (let round = 0; round < 30; round++) {
    const answers = await Promise.all(servers.map((store) => pushOnce(store, `mutation-${round}`, round)));
    expect(answers.toSorted()).toEqual(['applied', 'duplicate']);
  }
  const [record] = await feedOf(servers[0]);
  expect([record?.version, record?.place]).toEqual([30, 30]);
});

test('decides on one snapshot: a ledger that tells of a create comes with the record', async () => {
  const { connect, openStore, schema } = await fixture();
  const [store, other] = await Promise.all([openStore({ pool: connect({ application_name: schema }) }), openStore()]);
  await save(other, { log: sampleLog() });
  const pool = connect();
  const holder = await pool.connect();
  await holder.query(`BEGIN; SELECT FROM ${quoteSchema(schema)}.objectql_sync_logs FOR UPDATE`);
  const log = { logId: sampleLog().logId, sequences: [] };
  const looking = look(store, { records: [task('task-1')], mutationIds: ['create'], log });
  await untilWaiting(pool, schema);
  // The other server's push commits between what this one locks and what it reads.
  await save(other, { records: [sampleState()], ledger: [sampleRow('create', { logId: null })] });
  await holder.query('COMMIT');
  holder.release();
  const { records, ledger } = await looking;
  expect([records.length, ledger.length]).toEqual([1, 1]);
});

test.each([
  { table: 'records', added: { records: [sampleState()] } },
  { table: 'intents', added: { intents: [sampleIntent()] } },
  { table: 'logs', added: { log: sampleLog() } },
])('decides on nothing that it has not locked, when others add $table while it waits', async ({ table, added }) => {
  const { connect, openStore, schema } = await fixture();
  const [store, other] = await Promise.all([openStore({ pool: connect({ application_name: schema }) }), openStore()]);
  await save(other, { records: [sampleState({ recordId: 'held' })] });
  const pool = connect();
  const holder = await pool.connect();
  await holder.query(`BEGIN; SELECT FROM ${quoteSchema(schema)}.objectql_sync_records FOR UPDATE`);
  const deciding = store.transaction(async (transaction) => {
    const log = { logId: sampleLog().logId, sequences: [] };
    const loaded = await transaction.load({ records: [task('held'), task('task-1')], mutationIds: [], log });
    const locked = `SELECT FROM ${quoteSchema(schema)}.objectql_sync_${table} FOR UPDATE SKIP LOCKED`;
    return { loaded, free: (await pool.query(locked)).rowCount };
  });
  await untilWaiting(pool, schema);
  await save(other, added);
  await holder.query('COMMIT');
  holder.release();
  const { loaded, free } = await deciding;
  expect([loaded.records.length + loaded.intents.length + (loaded.log ? 1 : 0), free]).toEqual([2, 0]);
});

test.each([
  ['got a new epoch', (other: PostgresStore) => other.changeEpoch()],
  ['got a higher floor', (other: PostgresStore) => other.prune({ before: 100, limit: 10 })],
])('decides anew when the feed %s since it was read', async (_what, change) => {
  const { openStore } = await fixture();
  const [store, other] = await Promise.all([openStore(), openStore()]);
  await save(other, { records: [sampleTombstone('gone', 1, 7)] });
  const read: unknown[] = [];
  await store.transaction(async (transaction) => {
    const { facts } = await transaction.load({ records: [task('task-1')], mutationIds: [] });
    read.push([facts.epoch, facts.versionFloor]);
    if (read.length === 1) await change(other);
    await transaction.save({ records: [sampleState()] });
  });
  const { facts } = await store.page({ after: 0, limit: 1 });
  expect([read.length, read.at(-1)]).toEqual([2, [facts.epoch, facts.versionFloor]]);
});

test('drops no record that somebody is bringing back', async () => {
  const { openStore } = await fixture();
  const [store, other] = await Promise.all([openStore(), openStore()]);
  await save(other, { records: [sampleTombstone('task-1', 1)] });
  const dropped = await store.transaction(async (transaction) => {
    await loadAndSave(transaction, 'task-1');
    return other.prune({ before: 100, limit: 10 });
  });
  expect([dropped, await feedOf(store)]).toEqual([{ removed: 0 }, [told(sampleState(), 2)]]);
});

test('runs deadlocked work again', async () => {
  const { openStore, connect, schema } = await fixture();
  const pool = connect();
  const table = `${quoteSchema(schema)}.accounts`;
  await pool.query(`CREATE TABLE ${table} (id int PRIMARY KEY, n int); INSERT INTO ${table} VALUES (1, 0), (2, 0)`);
  const stores = await Promise.all([openStore(), openStore()]);
  let runs = 0;
  let holding = 0;
  const bothHold = gate();
  const crossing = stores.map((store, index) =>
    store.transaction(async ({ handle }) => {
      runs += 1;
      // The store's own client, as a resolver gets it.
      const client = handle as PostgresClient;
      const add = (id: number) => client.query(`UPDATE ${table} SET n = n + 1 WHERE id = $1`, [id]);
      await add(index === 0 ? 1 : 2);
      holding += 1;
      if (holding === 2) bothHold.open();
      await bothHold.opened;
      await add(index === 0 ? 2 : 1);
    }),
  );
  await Promise.all(crossing);
  const { rows } = await pool.query(`SELECT n FROM ${table}`);
  expect(rows).toEqual([{ n: 2 }, { n: 2 }]);
  // More than once again where the machine is so busy that locks are not granted in time.
  expect(runs).toBeGreaterThanOrEqual(3);
});

test('lets contention out of a savepoint, so that the whole transaction runs again', async () => {
  const seen: unknown[] = [];
  const { runs } = await runRaising(async ({ transaction, raise, run }) => {
    if (run > 1) return;
    await transaction.savepoint(() => raise('40001')).catch((error: unknown) => seen.push(error));
  });
  expect([runs, seen]).toEqual([2, [expect.any(StoreBusyError)]]);
});

test('runs again behind a duplicate key, as another server may have made the write, and then takes it for its own', async () => {
  const seen: unknown[] = [];
  const { runs, error } = await runRaising(async ({ transaction, raise }) => {
    await transaction.savepoint(() => raise('23505')).catch((failure: unknown) => seen.push(failure));
  });
  expect([runs, error]).toEqual([2, undefined]);
  expect(seen).toEqual([expect.any(StoreBusyError), expect.objectContaining({ code: '23505' })]);
});

test.each(['40001', '40P01', '55P03', '23505'])('gives up on %s after five runs, as busy', async (code) => {
  const ended = await runRaising(({ raise }) => raise(code));
  expect(ended).toMatchObject({ runs: 5, error: { name: 'StoreBusyError', cause: { code } } });
});

test('does not run a failure of the work again', async () => {
  expect(await runRaising(({ raise }) => raise('22012'))).toMatchObject({ runs: 1, error: { code: '22012' } });
});

test('says so when a failed statement was swallowed, instead of committing nothing', async () => {
  const { error } = await runRaising(({ raise }) => raise('22012').catch(() => {}));
  expect(error).toMatchObject({ message: expect.stringContaining('was rolled back') });
});

test('opens in many processes at once', async () => {
  const { connect, openStore, schema: name } = await fixture();
  const pool = connect();
  const schema = `${name} at once`;
  onTestFinished(() => pool.query(`DROP SCHEMA ${quoteSchema(schema)} CASCADE`).then(() => {}));
  const stores = await Promise.all(Array.from({ length: 8 }, () => openStore({ schema })));
  const epochs = await Promise.all(stores.map(async (store) => (await store.page({ after: 0, limit: 1 })).facts.epoch));
  expect(new Set(epochs).size).toBe(1);
});

test('prunes in one process at a time, and keeps the rows of a log that is in use', async () => {
  const { openStore } = await fixture();
  const [pruner, pusher] = await Promise.all([openStore(), openStore()]);
  await save(pruner, { log: sampleLog(), ledger: [sampleRow('old', { at: 1 })] });
  const during = await pusher.transaction(async (transaction) => {
    await transaction.load({ records: [], mutationIds: [], log: { logId: 'log-1', sequences: [] } });
    return pruner.prune({ before: 10, limit: 10 });
  });
  const after = await Promise.all([pruner, pusher].map((store) => store.prune({ before: 10, limit: 10 })));
  const total = after.reduce((sum, { removed }) => sum + removed, 0);
  expect([during.removed, total]).toEqual([0, 1]);
  expect((await look(pruner, { log: { logId: 'log-1', sequences: [1] } })).log?.floor).toBe(1);
});

test('drops a slice while others write, and lets nobody else drop at the same time', async () => {
  const { connect, openStore } = await fixture();
  const [writer, another] = await Promise.all([openStore(), openStore()]);
  const written: string[] = [];
  let isPruning = false;
  let removedElsewhere = -1;
  const pruner = await openStore({
    // What it has dropped is locked and not yet committed when the others come.
    pool: intercepting(connect(), async (text) => {
      if (!isPruning || text !== 'COMMIT') return;
      const id = `written-${written.length}`;
      written.push(id);
      await save(writer, {
        records: [sampleState({ recordId: id })],
        log: sampleLog({ logId: id }),
        ledger: [sampleRow(id, { logId: id })],
      });
      removedElsewhere = (await another.prune({ before: 10, limit: 10 })).removed;
    }),
  });
  const old = ['a', 'b', 'c'];
  await save(writer, {
    log: sampleLog(),
    ledger: old.map((id, index) => sampleRow(id, { at: 1, sequence: index + 1 })),
  });
  isPruning = true;
  const { removed } = await pruner.prune({ before: 10, limit: 2 });
  const { ledger } = await look(writer, { mutationIds: [...old, ...written] });
  expect({ removed, removedElsewhere, left: ledger.map(({ mutationId }) => mutationId).toSorted() }).toEqual({
    removed: 2,
    removedElsewhere: 0,
    left: ['c', 'written-0', 'written-1'],
  });
});

interface Raising {
  readonly transaction: StoreTransaction;
  /** Runs a statement that fails with this code. */
  readonly raise: (code: string) => Promise<unknown>;
  /** From 1. */
  readonly run: number;
}

/** How often a transaction ran its work, and the error with which it ended. */
async function runRaising(work: (raising: Raising) => Promise<unknown>) {
  const { openStore } = await fixture();
  const store = await openStore();
  let runs = 0;
  const error: unknown = await store
    .transaction(async (transaction) => {
      runs += 1;
      const raise = (code: string) => (transaction.handle as PostgresClient).query(raising(code));
      await work({ transaction, raise, run: runs });
    })
    .catch((thrown: unknown) => thrown);
  return { runs, error };
}

async function fixture() {
  const opened = await openPostgresFixture(inject('postgresUrl'));
  onTestFinished(() => opened.remove());
  return opened;
}

async function loadAndSave(transaction: StoreTransaction, recordId: string): Promise<void> {
  await transaction.load({ records: [task(recordId)], mutationIds: [] });
  await transaction.save({ records: [sampleState({ recordId })] });
}

/** What a push does with one mutation: apply it unless the ledger knows it. */
function pushOnce(store: SyncStore, mutationId: string, sequence: number): Promise<'applied' | 'duplicate'> {
  return store.transaction(async (transaction) => {
    const { records, ledger } = await transaction.load({ records: [task('task-1')], mutationIds: [mutationId] });
    if (ledger.length > 0) return 'duplicate';
    const version = (records[0]?.version ?? 0) + 1;
    await transaction.save({ records: [sampleState({ version })], ledger: [sampleRow(mutationId, { sequence })] });
    return 'applied';
  });
}

/** Resolves once a connection of that application name waits for a lock; other tests' connections wait too. */
async function untilWaiting(pool: pg.Pool, applicationName: string): Promise<void> {
  const waiting = "SELECT 1 FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'";
  while ((await pool.query(waiting, [applicationName])).rows.length === 0);
}

function raising(code: string): string {
  return `DO $$ BEGIN RAISE EXCEPTION 'raised by a test' USING ERRCODE = '${code}'; END $$`;
}

function gate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

/** The pool, with a look at each statement before it runs. */
function intercepting(pool: pg.Pool, before: (text: string) => Promise<void>): PostgresPool {
  return {
    on: (event, listener) => pool.on(event, listener),
    removeListener: (event, listener) => pool.removeListener(event, listener),
    async connect() {
      const client = await pool.connect();
      return {
        on: (event, listener) => client.on(event as 'error', listener),
        removeListener: (event, listener) => client.removeListener(event, listener),
        release: (error) => client.release(error),
        async query(text, values) {
          await before(text);
          return client.query(text, values);
        },
      };
    },
  };
}
