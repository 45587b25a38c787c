import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Database from 'libsql';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { bundleProgram } from '../../../../../scripts/build/bundle-program.js';
import { TestClock } from '../../platform/test-clock.js';
import type { RecordResolver, WriteContext } from '../../records/record-resolver.js';
import { create } from '../../sync-handler.fixture.js';
import { SyncHandler } from '../../sync-handler.js';
import { storeModelContract } from '../contract/model.contract.js';
import {
  feedOf,
  look,
  sampleIntent,
  sampleLog,
  sampleRow,
  sampleState,
  save,
  task,
} from '../contract/store-samples.js';
import { storeContract } from '../store.contract.js';
import type { SyncStore } from '../sync-store.js';
import type { SqliteDatabase, SqliteStatement } from './sqlite-database.js';
import { type ClosableDatabase, openSqliteFixture } from './sqlite-store.fixture.js';
import { SqliteStore } from './sqlite-store.js';

const abilities = ['reopen', 'openAnother', 'backUp', 'makeNewer', 'notes'] as const;
storeContract('SqliteStore', { open: openSqliteFixture, abilities }, { describe, it, expect });
storeModelContract('SqliteStore', openSqliteFixture, 40);

// As an application may have its handle read integers beyond 2^53.
const openWithBigints = () => openSqliteFixture((path) => new Database(path).defaultSafeIntegers());
storeContract('SqliteStore that reads bigints', { open: openWithBigints, abilities }, { describe, it, expect });

// Node has a SQLite of its own from 22.13 on.
const nodeSqlite: unknown = process.getBuiltinModule?.('node:sqlite');
if (isNodeSqlite(nodeSqlite)) {
  const { DatabaseSync } = nodeSqlite;
  const open = () => openSqliteFixture((path) => new DatabaseSync(path));
  storeContract('SqliteStore on node:sqlite', { open, abilities }, { describe, it, expect });
}

test('keeps every commit of a process that is killed', async () => {
  const { path, store } = await fixture();
  const writer = await startWriter(path, { name: 'killed', count: 1_000_000 });
  let told = 0;
  for await (const line of linesOf(writer)) {
    told = Number(line);
    if (told === 50) break;
  }
  writer.kill('SIGKILL');
  await once(writer, 'exit');
  const [record] = await feedOf(store);
  const kept = record?.version ?? 0;
  expect(kept).toBeGreaterThanOrEqual(told);
  const versions = Array.from({ length: kept }, (_, index) => `version-${index + 1}`);
  const { ledger, facts } = await look(store, { mutationIds: [...versions, `version-${kept + 1}`] });
  expect([facts.head, record?.place, ledger.length]).toEqual([kept, kept, kept]);
  await save(store, { records: [sampleState({ recordId: 'shared', version: kept + 1 })] });
});

test('loses no update of several processes on one file', async () => {
  const { path, store } = await fixture();
  const exits = await Promise.all(
    ['a', 'b', 'c'].map(async (name) => once(await startWriter(path, { name, count: 40 }), 'exit')),
  );
  expect(exits).toEqual([0, 0, 0].map((code) => [code, null]));
  expect((await feedOf(store)).map(({ version, place }) => [version, place])).toEqual([[120, 120]]);
});

test('flushes every commit to the disk', async () => {
  const { connect } = await fixture();
  const database = connect();
  const store = new SqliteStore(database);
  await store.open();
  expect(database.prepare('PRAGMA journal_mode').get()).toMatchObject({ journal_mode: 'wal' });
  expect(database.prepare('PRAGMA synchronous').get()).toMatchObject({ synchronous: 2 });
});

test('waits for another process that writes, without blocking this one', async () => {
  const { connect } = await fixture();
  const other = connect();
  let pauses = 0;
  const platform = {
    randomId: () => 'epoch-of-a-test',
    setTimer(work: () => void) {
      pauses += 1;
      if (pauses === 3) other.exec('ROLLBACK');
      work();
      return () => {};
    },
  };
  const store = new SqliteStore(connect(), { platform });
  await store.open();
  other.exec('BEGIN IMMEDIATE');
  await save(store, { records: [sampleState()] });
  expect([pauses, (await feedOf(store)).length]).toEqual([3, 1]);
});

test('looks four times a second for what other processes commit, until it is closed', async () => {
  const { connect } = await fixture();
  const platform = new TestClock();
  const [here, elsewhere] = [new SqliteStore(connect(), { platform }), new SqliteStore(connect())];
  const heads: number[] = [];
  here.onCommit((head) => heads.push(head));
  for (const store of [here, elsewhere]) {
    await store.open();
    onTestFinished(() => store.close());
  }
  await save(elsewhere, { records: [sampleState()] });
  await platform.advance(249);
  const before = [...heads];
  await platform.advance(1);
  await here.close();
  expect([before, heads, platform.armed]).toEqual([[], [1], 0]);
});

test.each([
  [{ busyTimeoutMs: 300 }, 300],
  [{}, 5000],
])('says that it is busy when another process does not stop writing: %j', async (options, timeoutMs) => {
  const { connect } = await fixture();
  const other = connect();
  const pauses: number[] = [];
  const platform = {
    randomId: () => 'epoch-of-a-test',
    setTimer(work: () => void, delayMs: number) {
      pauses.push(delayMs);
      work();
      return () => {};
    },
  };
  const database = connect();
  const store = new SqliteStore(database, { platform, ...options });
  await store.open();
  // Only the store's own pauses: SQLite's would block the test.
  database.exec('PRAGMA busy_timeout = 0');
  other.exec('BEGIN IMMEDIATE');
  await expect(save(store, { records: [sampleState()] })).rejects.toMatchObject({
    name: 'StoreBusyError',
    message: `Another connection kept the SQLite database locked for ${timeoutMs} ms. Try again.`,
    cause: { code: 'SQLITE_BUSY' },
  });
  expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, ...Array(Math.ceil((timeoutMs - 127) / 100)).fill(100)]);
  expect(await feedOf(store)).toEqual([]);
  other.exec('ROLLBACK');
  await save(store, { records: [sampleState()] });
});

test('gives a transactional resolver the transaction of the push, to read in and to write in', async () => {
  const { connect } = await fixture();
  const used: unknown[] = [];
  const use = ({ transaction }: WriteContext) => {
    used.push((transaction as SqliteDatabase).prepare('SELECT 1 AS used').get());
    return undefined;
  };
  const resolver: RecordResolver = {
    transactional: true,
    getRecord: (_objectName, _recordId, context) => use(context),
    applyMutation: (_mutation, _version, context) => use(context),
  };
  const handler = new SyncHandler({ store: new SqliteStore(connect()), resolver });
  onTestFinished(() => handler.close());
  await handler.handlePush({ clientId: 'a', lastCheckpoint: null, mutations: [create({ n: 1 }, { clientId: 'a' })] });
  expect(used).toMatchObject([{ used: 1 }, { used: 1 }]);
});

test('writes nothing in a transaction that SQLite has rolled back by itself', async () => {
  const { store } = await fixture();
  const work = store.transaction(async (transaction) => {
    await transaction.load({ records: [task('task-1')], mutationIds: [] });
    // As SQLite does when the disk is full, in a resolver that goes on all the same.
    (transaction.handle as SqliteDatabase).exec('ROLLBACK');
    await transaction.save({ records: [sampleState()] });
  });
  await expect(work).rejects.toThrow('no such savepoint');
  expect(await feedOf(store)).toEqual([]);
  await save(store, { records: [sampleState()] });
});

test('takes no write through a statement that was prepared in a savepoint or transaction that has ended', async () => {
  const { store, notes } = await fixture();
  const prepared = await store.transaction(async (transaction) => {
    const prepare = () => (transaction.handle as SqliteDatabase).prepare('INSERT INTO notes (note) VALUES (?)');
    const inSavepoint = await transaction.savepoint(async () => prepare());
    expect(() => inSavepoint.run('too late')).toThrow('has ended');
    const statement = prepare();
    statement.run('in time');
    return statement;
  });
  expect(() => prepared.run('too late')).toThrow('has ended');
  expect(await notes?.list()).toEqual(['in time']);
});

test('goes on with the feed of a file as the release before has left it', async () => {
  const { store: before, connect } = await fixture();
  await save(before, { records: [sampleState()] });
  await before.close();
  const database = connect();
  database.exec('DROP TABLE objectql_sync_epochs; UPDATE objectql_sync_schema SET version = 1');
  database.exec("UPDATE objectql_sync_feed SET epoch = 'of-before'");
  const store = new SqliteStore(database);
  await store.open();
  expect((await look(store, { epoch: 'of-before' })).facts).toMatchObject({ epoch: 'of-before', head: 1, reach: 1 });
  await save(store, { records: [sampleState({ version: 2 })] });
  const { facts } = await look(store, { epoch: 'of-before' });
  expect([facts.head, facts.reach, facts.epoch === 'of-before']).toEqual([2, 1, false]);
});

test('drops of more than a thousand epochs those that lie below the floor', async () => {
  const { store, connect } = await fixture();
  const database = connect();
  database.exec(`WITH RECURSIVE places (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM places WHERE n < 1010)
    INSERT INTO objectql_sync_epochs (epoch, last_place) SELECT 'e' || n, n FROM places`);
  const firstAfter = async (floor: number) => {
    database.exec(`UPDATE objectql_sync_feed SET floor = ${floor}`);
    await store.prune({ before: 0, limit: 10 });
    return database.prepare('SELECT min(last_place) AS place FROM objectql_sync_epochs').get();
  };
  expect([await firstAfter(5), await firstAfter(500)]).toMatchObject([{ place: 5 }, { place: 10 }]);
});

test('finds everything by an index', async () => {
  const { connect } = await fixture();
  const statements = new Set<string>();
  const database = connect();
  const store = new SqliteStore(recording(database, ({ sql }) => statements.add(sql)));
  await store.open();
  statements.clear();
  await useEverything(store);
  const plans = [...statements]
    .filter((sql) => /^\s*(SELECT|UPDATE|DELETE|INSERT)/.test(sql))
    .flatMap((sql) => planOf(database, sql));
  expect(plans.filter((step) => /SCAN objectql_sync_(?!feed|epochs USING COVERING INDEX)/.test(step))).toEqual([]);
  expect(plans.filter((step) => /TEMP B-TREE FOR ORDER BY/.test(step))).toEqual([]);
});

test('reads a page along one index, and pages of objects along one for each', async () => {
  const { connect } = await fixture();
  const database = connect();
  const pages: string[] = [];
  const store = new SqliteStore(recording(database, ({ sql }) => /LIMIT/.test(sql) && pages.push(sql)));
  await store.open();
  await store.page({ after: 5, limit: 10 });
  await store.page({ after: 5, limit: 10, objects: ['task', 'project'] });
  expect(pages.map((sql) => planOf(database, sql))).toEqual([
    ['SEARCH objectql_sync_records USING INTEGER PRIMARY KEY (rowid>?)'],
    [
      'MERGE (UNION ALL)',
      'LEFT',
      'SEARCH objectql_sync_records USING INDEX objectql_sync_records_by_object (object_name=? AND place>?)',
      'RIGHT',
      'SEARCH objectql_sync_records USING INDEX objectql_sync_records_by_object (object_name=? AND place>?)',
    ],
  ]);
});

test('loads any batch with the same number of statements', async () => {
  const { connect } = await fixture();
  const counts: number[] = [];
  let runs = 0;
  const store = new SqliteStore(recording(connect(), () => (runs += 1)));
  await store.open();
  for (const size of [1, 100, 1000]) {
    runs = 0;
    const numbers = Array.from({ length: size }, (_, index) => index);
    await look(store, {
      records: numbers.map(task),
      mutationIds: numbers.map(String),
      log: { logId: 'log-1', sequences: numbers },
    });
    counts.push(runs);
  }
  expect(counts).toEqual([5, 5, 5]);
});

async function fixture() {
  const opened = await openSqliteFixture();
  onTestFinished(() => opened.remove());
  return opened;
}

/** The same handle, telling of each statement that is run. */
function recording(database: SqliteDatabase, tell: (statement: { readonly sql: string }) => unknown): SqliteDatabase {
  return {
    exec: (sql) => database.exec(sql),
    prepare(sql): SqliteStatement {
      const statement = database.prepare(sql);
      return {
        run: (...parameters) => [tell({ sql }), statement.run(...parameters)],
        get: (...parameters) => [tell({ sql }), statement.get(...parameters)][1],
        all(...parameters) {
          tell({ sql });
          return statement.all(...parameters);
        },
      };
    },
  };
}

/** Runs every statement a store has. */
async function useEverything(store: SyncStore): Promise<void> {
  await save(store, {
    records: [sampleState()],
    ledger: [sampleRow('mutation-1', { at: 1 })],
    log: sampleLog(),
    intents: [sampleIntent()],
    settledIntents: [task('task-2')],
  });
  await look(store, { records: [task('task-1')], log: { logId: 'log-1', sequences: [1] } });
  await look(store, { mutationIds: ['mutation-1'] });
  await store.page({ after: 0, limit: 10 });
  await store.page({ after: 0, limit: 10, objects: ['task', 'project', 'note'] });
  await store.prune({ before: 10, limit: 10 });
  await store.changeEpoch();
}

function planOf(database: SqliteDatabase, sql: string): readonly string[] {
  const parameters = Array.from(sql.matchAll(/\?/g), () => (sql.includes('json_each') ? '[]' : 1));
  // Columns of EXPLAIN QUERY PLAN, as SQLite documents them.
  const rows = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters) as { detail: string }[];
  return rows.map(({ detail }) => detail);
}

async function startWriter(
  path: string,
  { name, count }: { readonly name: string; readonly count: number },
): Promise<ChildProcess> {
  const script = await bundleProgram(fileURLToPath(new URL('sqlite-writer.fixture.ts', import.meta.url)));
  const writer = spawn(process.execPath, [script, path, name, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void writer.kill('SIGKILL'));
  return writer;
}

function linesOf({ stdout }: ChildProcess): AsyncIterable<string> {
  if (!stdout) throw new Error('The writer was started without a pipe for its output.');
  return createInterface(stdout);
}

function isNodeSqlite(module: unknown): module is { readonly DatabaseSync: new (path: string) => ClosableDatabase } {
  return typeof module === 'object' && module !== null && 'DatabaseSync' in module;
}
