/** The data engine on PostgreSQL: writers take turns from their first statement on, and what the database refuses is refused. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { SyncPushResponse } from '@objectql/sync-types';
import { AS_SYSTEM } from '@objectql/sync-types/kernel';
import { SqlDriver } from '@objectstack/driver-sql';
import type { ObjectQL } from '@objectstack/objectql';
import { beforeAll, expect, inject, it } from 'vitest';
import { openPostgresFixture } from '../storage/postgres/postgres-database.fixture.js';
import { SyncProtocolPlugin } from '../sync-protocol-plugin.js';
import { startKernel } from './kernel.fixture.js';

const system = { context: AS_SYSTEM } as const;
/** A writer, somebody who waits for their turn, and one that reads. */
const POOL_SIZE = 3;
const text = { type: 'text', label: 'Text' } as const;
const TASK = {
  name: 'task',
  label: 'Task',
  sync: { enabled: true },
  fields: { title: text, note: text, size: { type: 'number', label: 'Size' } },
};

let app: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  app = await start();
  return app.stop;
});

/**
 * An application, and a function that resolves with the statement of whoever waits for the transaction that calls it. The
 * database's default isolation is stricter than PostgreSQL's own, as some operators set it.
 */
async function start() {
  const { schema, connect, remove } = await openPostgresFixture(inject('postgresUrl'));
  const sync = new SyncProtocolPlugin();
  const options = '-c default_transaction_isolation=repeatable\\ read';
  const connection = { connectionString: inject('postgresUrl'), options };
  const pool = { min: 0, max: POOL_SIZE };
  const driver = new SqlDriver({ client: 'pg', connection, searchPath: [schema], pool });
  const { kernel, stop } = await startKernel({ objects: [TASK], plugins: [sync], driver });
  const engine = kernel.getService<ObjectQL>('objectql');
  await sync.enrolled();
  const watcher = connect();
  const waiting = 'SELECT query FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))';
  return {
    engine,
    sync,
    async untilSomebodyWaits() {
      const { rows } = await engine.transaction(({ transaction }) =>
        engine.execute('SELECT pg_backend_pid() AS pid', { transaction }),
      );
      const look = async () => (await watcher.query<{ query: string }>(waiting, [rows[0].pid])).rows[0]?.query;
      while ((await look()) === undefined);
      // PostgreSQL reads who runs what before who waits, so the first look may tell the statement before the one that waits.
      return (await look()) ?? '';
    },
    async stop() {
      await stop();
      await remove();
    },
  };
}

it('lets a device wait for its turn before it locks a record that is being written by REST', async () => {
  const { engine, untilSomebodyWaits } = app;
  await engine.insert('task', { id: 'both', title: 'first', note: '' }, system);
  const outside = AsyncLocalStorage.snapshot();
  let pushed: ReturnType<typeof push> | undefined;
  let waitsFor = '';
  const written = async () => {
    if (pushed) return;
    pushed = outside(() => push({ operation: 'update', recordId: 'both', data: { title: 'pushed' }, baseVersion: 1 }));
    waitsFor = await untilSomebodyWaits();
  };
  engine.registerHook('afterUpdate', written, { object: 'task' });
  await engine.update('task', { id: 'both', note: 'by REST' }, system);
  expect((await pushed)?.results).toMatchObject([{ status: 'applied', serverVersion: 3 }]);
  // With the feed in its hands and waiting for the record, it would have kept this write waiting for ever.
  expect(waitsFor).toContain('objectstack_sync_feed');
  const both = { title: 'pushed', note: 'by REST' };
  expect(await dataOf('both')).toMatchObject([both, both, 3]);
});

it('lets writes by REST take turns', async () => {
  const { engine, untilSomebodyWaits } = app;
  const outside = AsyncLocalStorage.snapshot();
  let second: Promise<unknown> | undefined;
  const written = async () => {
    if (second) return;
    second = outside(() => engine.insert('task', { id: 'second', title: '2' }, system));
    await untilSomebodyWaits();
  };
  engine.registerHook('afterInsert', written, { object: 'task' });
  await engine.insert('task', { id: 'first', title: '1' }, system);
  expect(await second).toMatchObject({ title: '2' });
  expect([await dataOf('first'), await dataOf('second')]).toMatchObject([
    [{ title: '1' }, { title: '1' }, 1],
    [{ title: '2' }, { title: '2' }, 1],
  ]);
});

it('joins a transaction in which the application has read before it writes', async () => {
  await app.engine.transaction(async () => {
    expect(await app.engine.findOne('task', { where: { id: 'read-first' } }, system)).toBeNull();
    await app.engine.insert('task', { id: 'read-first', note: 'new' }, system);
  });
  expect(await dataOf('read-first')).toMatchObject([{ note: 'new' }, { note: 'new' }, 1]);
});

it('lets the application go on behind a savepoint from which a write has failed', async () => {
  const { engine } = app;
  await engine.insert('task', { id: 'taken', title: 'x' }, system);
  await engine.transaction(async ({ transaction }) => {
    await engine.execute('SAVEPOINT before', { transaction });
    await engine.insert('task', { id: 'taken', title: 'y' }, system).catch(() => {});
    await engine.execute('ROLLBACK TO SAVEPOINT before', { transaction });
    await engine.insert('task', { id: 'free', title: 'z' }, system);
  });
  expect([await dataOf('taken'), await dataOf('free')]).toMatchObject([
    [{ title: 'x' }, { title: 'x' }, 1],
    [{ title: 'z' }, { title: 'z' }, 1],
  ]);
});

it('leaves connections to others while devices wait for their turn', async () => {
  const { engine, untilSomebodyWaits } = app;
  const outside = AsyncLocalStorage.snapshot();
  const ids = Array.from({ length: POOL_SIZE }, (_, index) => `waits-${index}`);
  let pushes: ReturnType<typeof push>[] = [];
  let read: unknown;
  const written = async () => {
    if (pushes.length > 0) return;
    pushes = outside(() => ids.map((recordId) => push({ recordId, operation: 'create', data: { title: 'x' } })));
    await untilSomebodyWaits();
    read = await outside(() => engine.find('task', { where: { id: 'slow' } }, system));
  };
  engine.registerHook('afterInsert', written, { object: 'task' });
  await engine.insert('task', { id: 'slow', title: '1' }, system);
  const outcomes = (await Promise.all(pushes)).flatMap(({ results }) => results.map(({ status }) => status));
  expect([read, outcomes]).toEqual([[], ids.map(() => 'applied')]);
});

it('compares with the feed what is there once the writers before have ended', async () => {
  const { engine, sync, untilSomebodyWaits } = app;
  await engine.insert('task', { id: 'compared', title: 'old' }, system);
  let reconciled: Promise<void> | undefined;
  const outside = AsyncLocalStorage.snapshot();
  await engine.transaction(async () => {
    await engine.update('task', { id: 'compared', title: 'new' }, system);
    reconciled = outside(() => sync.reconcile());
    await untilSomebodyWaits();
  });
  await reconciled;
  expect(await dataOf('compared')).toMatchObject([{ title: 'new' }, { title: 'new' }, 2]);
});

it('I13 keeps a process that vanished in the midst of a write from holding up all others for longer than a minute', async () => {
  const { engine } = app;
  const settingOf = () =>
    engine.transaction(({ transaction }) =>
      engine.execute("SELECT current_setting('idle_in_transaction_session_timeout') AS setting", { transaction }),
    );
  const settings: unknown[] = [];
  const written = async () => void settings.push(...(await settingOf()).rows);
  engine.registerHook('afterInsert', written, { object: 'task' });
  await engine.insert('task', { id: 'by-rest-alone', title: '1' }, system);
  await push({ recordId: 'pushed-alone', operation: 'create', data: { title: '1' } });
  // The connection is as it was.
  settings.push(...(await settingOf()).rows);
  expect(settings).toEqual([{ setting: '1min' }, { setting: '1min' }, { setting: '0' }]);
});

it('refuses for good what the database does not take, and takes the rest of the push', async () => {
  await app.engine.transaction(({ transaction }) =>
    app.engine.execute("ALTER TABLE task ADD CONSTRAINT polite CHECK (note <> 'darn')", { transaction }),
  );
  const { results } = await push(
    { recordId: 'large', operation: 'create', data: { size: 1e300 } },
    { recordId: 'rude', operation: 'create', data: { note: 'darn' } },
    { recordId: 'small', operation: 'create', data: { size: 1 } },
  );
  const reason = 'The database does not take a value of this change.';
  expect(results).toMatchObject([
    { code: 'VALIDATION', reason },
    { code: 'VALIDATION', reason },
    { status: 'applied', record: { size: 1 } },
  ]);
});

it('I1 takes nothing for applied or written whose commit has failed', async () => {
  // Looked at by the commit, which fails as it does where the connection is lost before it.
  const unique = 'ALTER TABLE task ADD CONSTRAINT one_of_each UNIQUE (size) DEFERRABLE INITIALLY DEFERRED';
  await app.engine.transaction(({ transaction }) => app.engine.execute(unique, { transaction }));
  await app.engine.insert('task', { id: 'seven', size: 7 }, system);
  const pushed = push({ recordId: 'pushed', operation: 'create', data: { size: 7 } });
  await expect(pushed).rejects.toMatchObject({ code: '23505' });
  await expect(app.engine.insert('task', { id: 'by-rest', size: 7 }, system)).rejects.toMatchObject({ code: '23505' });
  expect(await dataOf('by-rest')).toEqual([null, undefined, undefined]);
});

let sequence = 0;
/** A push of these mutations by a device. */
function push(...mutations: readonly object[]): Promise<SyncPushResponse> {
  const complete = mutations.map((mutation) => {
    sequence += 1;
    const common = { timestamp: '2026-01-01T00:00:00.000Z', clientId: 'phone', sequence, baseVersion: null };
    return { id: `m${sequence}`, objectName: 'task', ...common, ...mutation };
  });
  return app.sync.handler.handlePush({ clientId: 'phone', lastCheckpoint: null, mutations: complete });
}

/** The record as the application has it, as devices are told of it, and its version. */
async function dataOf(id: string): Promise<readonly unknown[]> {
  const { serverChanges } = await app.sync.handler.handlePull({ clientId: 'tablet', lastCheckpoint: null });
  const told = serverChanges.find(({ recordId }) => recordId === id);
  return [await app.engine.findOne('task', { where: { id } }, system), told?.data, told?.serverVersion];
}
