/** Pushed changes that meet a record which the engine does not have. */
import { AS_SYSTEM } from '@objectql/sync-types/kernel';
import { SqliteWasmDriver } from '@objectstack/driver-sqlite-wasm';
import type { HookHandler, ObjectQL } from '@objectstack/objectql';
import { expect, it, onTestFinished } from 'vitest';
import { pushBody } from '../http/requests.fixture.js';
import { SyncProtocolPlugin } from '../sync-protocol-plugin.js';
import { startKernel } from './kernel.fixture.js';

const system = { context: AS_SYSTEM } as const;
const fields = { title: { type: 'text', label: 'Title' } };
const TASK = { name: 'task', label: 'Task', sync: { enabled: true }, fields };

/** The task `t1` at version 1; `push` answers what became of one change of it. */
async function start() {
  const driver = new SqliteWasmDriver({ filename: ':memory:' });
  const sync = new SyncProtocolPlugin();
  const { kernel, stop } = await startKernel({ objects: [TASK], plugins: [sync], driver });
  onTestFinished(stop);
  const engine = kernel.getService<ObjectQL>('objectql');
  await engine.insert('task', { id: 't1', title: 'Buy milk' }, system);
  const push = async (change: { readonly operation: 'update' | 'delete'; readonly data?: object }) => {
    const mutation = {
      id: 'm1',
      clientId: 'phone',
      sequence: 1,
      timestamp: '2026-01-01T00:00:00.000Z',
      baseVersion: 1,
    };
    const mutations = [{ ...mutation, objectName: 'task', recordId: 't1', ...change }];
    return (await sync.handler.handlePush({ ...pushBody(), clientId: 'phone', logId: 'log', mutations })).results;
  };
  return { driver, engine, push };
}

it('answers NOT_FOUND to an update of a record that was deleted past the engine', async () => {
  const { driver, push } = await start();
  await driver.getKnex()('task').delete();
  const results = await push({ operation: 'update', data: { title: 'Buy bread' } });
  expect(results).toMatchObject([{ status: 'rejected', code: 'NOT_FOUND' }]);
});

it('deletes nothing where a hook behind the delete misses another record', async () => {
  const { engine, push } = await start();
  const changeOther: HookHandler = async () => void (await engine.update('task', { id: 'none', title: 'B' }, system));
  engine.registerHook('afterDelete', changeOther, { object: 'task' });
  expect(await push({ operation: 'delete' })).toMatchObject([{ status: 'rejected', code: 'NOT_FOUND' }]);
  expect(await engine.find('task', { where: { id: 't1' } }, system)).toHaveLength(1);
});
