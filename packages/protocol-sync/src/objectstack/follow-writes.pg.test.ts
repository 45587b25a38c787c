import { AsyncLocalStorage } from 'node:async_hooks';
import { AS_SYSTEM, type EngineContext, type KernelPlugin } from '@objectql/sync-types/kernel';
import { SqlDriver } from '@objectstack/driver-sql';
import type { HookHandler, ObjectQL } from '@objectstack/objectql';
import { expect, inject, it, onTestFinished } from 'vitest';
import { openPostgresFixture } from '../storage/postgres/postgres-database.fixture.js';
import { SyncProtocolPlugin } from '../sync-protocol-plugin.js';
import { startingFirst, startKernel } from './kernel.fixture.js';

const fields = { title: { type: 'text', label: 'Title' } };
const TASK = { name: 'task', label: 'Task', sync: { enabled: true }, fields };

/** An application on PostgreSQL with sync. */
async function start(...plugins: readonly KernelPlugin[]) {
  const { schema, remove } = await openPostgresFixture(inject('postgresUrl'));
  onTestFinished(remove);
  const sync = new SyncProtocolPlugin();
  const driver = new SqlDriver({ client: 'pg', connection: inject('postgresUrl'), searchPath: [schema] });
  const { stop, engine } = await startKernel({ objects: [TASK], plugins: [...plugins, sync], driver });
  onTestFinished(stop);
  // A cast: the service is this class, of which sync itself uses less.
  return { sync, engine: engine as unknown as ObjectQL };
}

it.each([
  ['names its transaction', (context: EngineContext) => context],
  ['runs in one', () => ({})],
])('I4 follows a write of the start that %s, which ends only after it', async (_, contextIn) => {
  let goOn = () => {};
  const started = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let ended: Promise<unknown> | undefined;
  const writer = startingFirst(async (engine) => {
    // Outside of a transaction: the engine looks for its organizations, of which there are none.
    await engine.insert('task', { id: 'first', title: 'A' }, { context: AS_SYSTEM });
    await new Promise<void>((resolve, reject) => {
      ended = engine.transaction(async (transaction: EngineContext) => {
        const own = { context: { ...contextIn(transaction), ...AS_SYSTEM } };
        await engine.insert('task', { id: 'second', title: 'B' }, own).then(() => resolve(), reject);
        await started;
      });
    });
  });
  const { sync } = await start(writer);
  await sync.enrolled();
  goOn();
  await ended;
  while ((await feedOf(sync)).length < 2);
  expect(await feedOf(sync)).toEqual(['first', 'second']);
});

it('I4 follows a write that is kept out of a transaction, which is rolled back', async () => {
  const { sync, engine } = await start();
  const line = { context: { ...AS_SYSTEM, transaction: null } };
  const writeLine: HookHandler = async ({ input }) => {
    const { id } = input.data as { readonly id?: string };
    if (id === 'task') await engine.insert('task', { id: 'line', title: 'tried' }, line);
  };
  engine.registerHook('afterInsert', writeLine, { object: 'task' });
  const written = engine.transaction(async () => {
    await engine.insert('task', { id: 'task', title: 'A' }, { context: AS_SYSTEM });
    throw new Error('changed my mind');
  });
  await expect(written).rejects.toThrow('changed my mind');
  while ((await feedOf(sync)).length < 1);
  expect(await feedOf(sync)).toEqual(['line']);
});

it('I5 takes the feed anew after a rollback to a savepoint, which has let go of it', async () => {
  const { sync, engine } = await start();
  const system = { context: AS_SYSTEM };
  const outside = AsyncLocalStorage.snapshot();
  let other: Promise<unknown> | undefined;
  let isWritten = false;
  const writeOther: HookHandler = async () => {
    if (other) return;
    other = outside(() => engine.insert('task', { id: 'other', title: 'B' }, system));
    void other.then(() => {
      isWritten = true;
    });
    // The other one waits for the feed, unless nobody has it.
    while (!isWritten && !(await isAnyWaiting(engine)));
  };
  engine.registerHook('beforeInsert', writeOther, { object: 'objectstack_sync_record' });
  await engine.transaction(async ({ transaction }: EngineContext) => {
    await engine.execute('SAVEPOINT before', { transaction });
    await engine.insert('task', { id: 'undone', title: 'A' }, system);
    await engine.execute('ROLLBACK TO SAVEPOINT before', { transaction });
    await engine.insert('task', { id: 'kept', title: 'A' }, system);
  });
  await other;
  expect(await feedOf(sync)).toEqual(['kept', 'other']);
});

async function isAnyWaiting(engine: ObjectQL): Promise<boolean> {
  const { rows } = (await engine.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")) as {
    readonly rows: readonly unknown[];
  };
  return rows.length > 0;
}

async function feedOf({ handler }: SyncProtocolPlugin) {
  const { serverChanges } = await handler.handlePull({ clientId: 'tablet', lastCheckpoint: null });
  return serverChanges.map(({ recordId }) => recordId);
}
