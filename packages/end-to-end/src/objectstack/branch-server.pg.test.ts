/** A server at a branch, on PostgreSQL: its devices, its application and what the head office sends meet there. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { SyncHandler } from '@objectql/protocol-sync';
import { expect, it } from 'vitest';
import { describeBranchServer } from './branch-server.contract.js';
import { startBranch } from './branch-server.fixture.js';
import { passing, system } from './local-device.fixture.js';
import { openPostgresDriver } from './local-postgres.fixture.js';

describeBranchServer(async () => (await openPostgresDriver('repeatable read')).driver);

it('I13 refuses neither a push nor what the head office sends, where one comes while the other is written', async () => {
  const office = new SyncHandler();
  const { driver, somebodyWaits } = await openPostgresDriver('repeatable read');
  let isReached = async (_recordId: unknown) => {};
  const pause = passing('pause', async ({ object, operation, data }, next) => {
    if (object === 'task' && operation === 'insert') await isReached(Object(data).id);
    await next();
  });
  const { engine, sync, titles, addPhone, allFailures } = await startBranch(office, { driver, plugins: [pause] });
  const phone = addPhone('phone');
  await office.recordChange({ objectName: 'task', operation: 'update', recordId: 'o1', data: { title: 'Office' } });
  let synced: Promise<unknown> | undefined;
  isReached = async (recordId) => {
    if (recordId !== 'p1' || synced) return;
    synced = outside(() => sync.syncAll());
    await somebodyWaits(engine);
  };
  phone.tasks.create('p1', { title: 'Phone' });
  await phone.sync.syncAll();
  await synced;
  expect([await titles(), allFailures()]).toEqual([{ o1: 'Office', p1: 'Phone' }, []]);
});

/** The async context around the tests: in no transaction. */
const outside = AsyncLocalStorage.snapshot();

it('I1 I4 refuses and loses nothing while devices, the application and the head office write', async () => {
  const office = new SyncHandler();
  const { driver } = await openPostgresDriver('read committed');
  const branch = await startBranch(office, { driver });
  const { engine, titles, addPhone, allFailures } = branch;
  const addNote = async ({ result }: { result?: unknown }) => {
    const { id } = Object(result) as { readonly id: string };
    if (id.startsWith('app')) await engine.insert('task', { id: `note of ${id}`, title: 'Note' }, system);
  };
  engine.registerHook('afterInsert', addNote, { object: 'task' });
  const expected: Record<string, string> = {};
  const inRounds = async (work: (round: number) => Promise<Readonly<Record<string, string>>>) => {
    for (let round = 0; round < 5; round++) Object.assign(expected, await work(round));
  };
  const byPhone = (name: string) => {
    const { sync, tasks } = addPhone(name);
    return inRounds(async (round) => {
      tasks.create(`${name} ${round}`, { title: 'Phone' });
      await sync.syncAll();
      return { [`${name} ${round}`]: 'Phone' };
    });
  };
  const byApp = inRounds(async (round) => {
    await engine.insert('task', { id: `app ${round}`, title: 'App' }, system);
    await engine.transaction(async ({ transaction }) => {
      const context = { ...system.context, transaction };
      await engine.insert('task', { id: `other ${round}`, title: 'App' }, { context });
      await engine.update('task', { id: `app ${round}`, title: 'Again' }, { context });
    }, system.context);
    return { [`app ${round}`]: 'Again', [`note of app ${round}`]: 'Note', [`other ${round}`]: 'App' };
  });
  const byOffice = inRounds(async (round) => {
    const change = { objectName: 'task', operation: 'update', data: { title: 'Office' } } as const;
    await office.recordChange({ ...change, recordId: `office ${round}` });
    await branch.sync.syncAll();
    return { [`office ${round}`]: 'Office' };
  });
  await Promise.all([byPhone('one'), byPhone('two'), byPhone('three'), byApp, byOffice]);
  expect([await titles(), allFailures()]).toEqual([expected, []]);
});
