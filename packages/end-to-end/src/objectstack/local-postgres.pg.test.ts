/** A local data engine on PostgreSQL, as on a server at a branch: its transactions run beside each other. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { SyncHandler } from '@objectql/protocol-sync';
import type { KernelPlugin } from '@objectql/sync-types/kernel';
import { expect, it } from 'vitest';
import { eventually } from '../../../plugin-sync/test/fixtures/eventually.js';
import { changeTitle, passing, startDevice, system, titlesAt, writer } from './local-device.fixture.js';
import { openPostgresDriver } from './local-postgres.fixture.js';

it('I1 notes the first write of a process, also one that comes before sync starts', async () => {
  const early = writer(async ({ engine, event }) => {
    if (event === 'start') await engine.insert('task', { id: 't1', title: 'Early' }, system);
  });
  const server = new SyncHandler();
  const { engine, exchange, failures } = await start(server, [early]);
  await engine.insert('task', { id: 't2', title: 'Late' }, system);
  await exchange();
  expect([await titlesAt(server), failures]).toEqual([{ t1: 'Early', t2: 'Late' }, []]);
});

it('I8 notes of a write its own fields alone, where it waited for another of its record', async () => {
  const server = new SyncHandler();
  const { engine, exchange, sync, network, somebodyWaits } = await start(server);
  await engine.insert('task', { id: 't1', title: 'Buy milk' }, system);
  await exchange();
  network.isOffline = true;
  let second: Promise<unknown> | undefined;
  await engine.transaction(async ({ transaction }) => {
    await engine.update('task', { id: 't1', status: 'done' }, { context: { ...system.context, transaction } });
    second = outside(() => engine.update('task', { id: 't1', title: 'Buy bread' }, system));
    await somebodyWaits();
  }, system.context);
  await second;
  const pending = sync.getEngine('task').getMutationLogger().getPending();
  expect(pending.map(({ data }) => data)).toEqual([{ status: 'done' }, { title: 'Buy bread' }]);
});

it('I1 writes what the server sent behind what the application is writing', async () => {
  const server = new SyncHandler();
  const { engine, exchange, sync, tasks, failures, somebodyWaits } = await start(server);
  await engine.insert('task', { id: 't1', title: 'Buy milk' }, system);
  await exchange();
  await changeTitle(server, 'By the server');
  const shown: unknown[] = [];
  engine.registerHook(
    'beforeUpdate',
    ({ input }: { input: { data?: { title?: unknown } } }) => {
      shown.push(input.data?.title);
    },
    { object: 'task' },
  );
  let synced: Promise<unknown> | undefined;
  await engine.transaction(async ({ transaction }) => {
    await engine.update('task', { id: 't1', title: 'Mine' }, { context: { ...system.context, transaction } });
    synced = outside(() => sync.syncAll());
    await somebodyWaits();
  }, system.context);
  await synced;
  // What an app's own transaction notes is recorded right after it.
  await eventually(async () => {
    await exchange();
    expect(await titlesAt(server)).toEqual({ t1: 'Mine' });
  });
  expect([shown, await tasks(), failures]).toEqual([['Mine'], { t1: 'Mine (new)' }, []]);
});

it('I1 notes and sends what a process writes while the one before it has not ended', async () => {
  const server = new SyncHandler();
  const { engine, stop, startNext } = await start(server);
  const next = await startNext();
  await engine.insert('task', { id: 't1', title: 'Old' }, system);
  for (const id of ['t2', 't3']) await next.engine.insert('task', { id, title: 'New' }, system);
  await engine.insert('task', { id: 't4', title: 'Old' }, system);
  await next.engine.insert('task', { id: 't5', title: 'New' }, system);
  await stop();
  // What has only one storage can be sent once the first process has given it up.
  await eventually(async () => {
    await next.exchange();
    expect(await titlesAt(server)).toEqual({ t1: 'Old', t2: 'New', t3: 'New', t4: 'Old', t5: 'New' });
  });
});

it('I13 ends a write without waiting for a transaction that began behind it', async () => {
  let whenNoted = async () => {};
  const watch = passing('watch', async ({ object, operation }, next) => {
    if (object === 'objectstack_sync_outbox' && operation === 'delete') await whenNoted();
    await next();
  });
  const { engine, tasks } = await start(new SyncHandler(), [watch]);
  let commit = () => {};
  const mayCommit = new Promise<void>((resolve) => {
    commit = resolve;
  });
  let behind: Promise<unknown> | undefined;
  whenNoted = async () => {
    if (behind) return;
    await new Promise<void>((hasWritten) => {
      const work = async () => {
        await engine.insert('task', { id: 't2', title: 'Second' }, system);
        hasWritten();
        await mayCommit;
      };
      behind = outside(() => engine.transaction(work, system.context));
    });
  };
  await engine.insert('task', { id: 't1', title: 'First' }, system);
  commit();
  await behind;
  expect(await tasks()).toEqual({ t1: 'First (new)', t2: 'Second (new)' });
});

it('I1 notes a write that a transaction keeps out of itself, and sends it where that is taken back', async () => {
  const server = new SyncHandler();
  const { engine, exchange, tasks } = await start(server);
  for (const id of ['t1', 't2']) await engine.insert('task', { id, title: 'Buy milk' }, system);
  const apart = { context: { ...system.context, transaction: null } };
  const takenBack = engine.transaction(async () => {
    await engine.update('task', { id: 't1', title: 'Taken back' }, system);
    await engine.update('task', { id: 't2', title: 'Kept' }, apart);
    throw new Error('Changed my mind.');
  }, system.context);
  await expect(takenBack).rejects.toThrow('Changed my mind.');
  await exchange();
  expect([await tasks(), await titlesAt(server)]).toEqual([
    { t1: 'Buy milk (new)', t2: 'Kept (new)' },
    { t1: 'Buy milk', t2: 'Kept' },
  ]);
});

/** The async context around the tests: in no transaction. */
const outside = AsyncLocalStorage.snapshot();

/**
 * A device, a function that resolves once somebody waits for the engine's transaction that calls it, and one that starts
 * another process of the device.
 */
async function start(server: SyncHandler, plugins: readonly KernelPlugin[] = []) {
  // A default that is stricter than PostgreSQL's own, as some operators set it.
  const { driver, openDriver, somebodyWaits } = await openPostgresDriver('repeatable read');
  const device = await startDevice(server, { name: 'a', driver, plugins });
  const { directory } = device;
  return {
    ...device,
    somebodyWaits: () => somebodyWaits(device.engine),
    startNext: () => startDevice(server, { name: 'a', driver: openDriver(), plugins, directory }),
  };
}
