/** Writers of synced objects take turns from their first statement on, with several connections to one database. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { AS_SYSTEM } from '@objectql/sync-types/kernel';
import { SqlDriver } from '@objectstack/driver-sql';
import type { ObjectQL } from '@objectstack/objectql';
import { beforeAll, expect, inject, it, vi } from 'vitest';
import { openPostgresFixture } from '../storage/postgres-database.fixture.js';
import { SyncProtocolPlugin } from '../sync-protocol-plugin.js';
import { startKernel } from './kernel.fixture.js';

// ObjectStack takes seconds to load on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const system = { context: AS_SYSTEM } as const;
const text = { type: 'text', label: 'Text' } as const;
const TASK = { name: 'task', label: 'Task', sync: { enabled: true }, fields: { title: text, note: text } };

let app: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  app = await start();
  return app.stop;
});

/** An application, and a function that resolves with the statement of whoever waits for the transaction that calls it. */
async function start() {
  const { schema, connect, remove } = await openPostgresFixture(inject('postgresUrl'));
  const sync = new SyncProtocolPlugin();
  const driver = new SqlDriver({ client: 'pg', connection: inject('postgresUrl'), searchPath: [schema] });
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
      for (;;) {
        const [waiter] = (await watcher.query<{ query: string }>(waiting, [rows[0].pid])).rows;
        if (waiter) return waiter.query;
      }
    },
    async stop() {
      await stop();
      await remove();
    },
  };
}

it('lets a device wait for its turn before it locks a record that is being written by REST', async () => {
  const { engine, sync, untilSomebodyWaits } = app;
  await engine.insert('task', { id: 'both', title: 'first', note: '' }, system);
  const outside = AsyncLocalStorage.snapshot();
  const push = () => {
    const mutation = { id: 'm1', objectName: 'task', recordId: 'both', operation: 'update', data: { title: 'pushed' } };
    const rest = { timestamp: '2026-01-01T00:00:00.000Z', clientId: 'phone', sequence: 1, baseVersion: 1 };
    return sync.handler.handlePush({ clientId: 'phone', lastCheckpoint: null, mutations: [{ ...mutation, ...rest }] });
  };
  let pushed: ReturnType<typeof push> | undefined;
  let waitsFor = '';
  const written = async () => {
    if (pushed) return;
    pushed = outside(push);
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

/** The record as the application has it, as devices are told of it, and its version. */
async function dataOf(id: string): Promise<readonly unknown[]> {
  const { serverChanges } = await app.sync.handler.handlePull({ clientId: 'tablet', lastCheckpoint: null });
  const told = serverChanges.find(({ recordId }) => recordId === id);
  return [await app.engine.findOne('task', { where: { id } }, system), told?.data, told?.serverVersion];
}
