import type { MutationLogEntry } from '@objectql/sync-types';
import { AS_SYSTEM } from '@objectql/sync-types/kernel';
import { expect, it, onTestFinished } from 'vitest';
import { SyncProtocolPlugin } from '../sync-protocol-plugin.js';
import { contextOf } from './engine-records.js';
import { startKernel } from './kernel.fixture.js';

it.each([
  [{ id: 'ada' }, { userId: 'ada' }],
  [
    { id: 'ada', context: { userId: 'ada', tenantId: 'acme' } },
    { userId: 'ada', tenantId: 'acme' },
  ],
  [
    { id: 'ada', context: { ip: '::1' } },
    { userId: 'ada', ip: '::1' },
  ],
  [{ id: 'ada', context: null }, { userId: 'ada' }],
])('I12 reads and writes as the user that %j names', (principal, context) => {
  expect(contextOf(principal)).toEqual(context);
});

it('takes what devices write of records that the database has lost or got back behind sync', async () => {
  const fields = { title: { type: 'text', label: 'Title' } };
  const sync = new SyncProtocolPlugin();
  const objects = [{ name: 'task', label: 'Task', sync: { enabled: true }, fields }];
  const { engine, stop } = await startKernel({ objects, plugins: [sync] });
  onTestFinished(stop);
  const behindSync = (statement: string) =>
    engine.transaction(({ transaction }) => engine.execute(statement, { transaction }), AS_SYSTEM, { require: true });
  let sequence = 0;
  const push = async (mutation: Pick<MutationLogEntry, 'operation' | 'recordId' | 'baseVersion' | 'data'>) => {
    sequence += 1;
    const timestamp = '2026-01-01T00:00:00.000Z';
    const complete = { id: `m${sequence}`, objectName: 'task', clientId: 'phone', sequence, timestamp, ...mutation };
    const { results } = await sync.handler.handlePush({
      clientId: 'phone',
      lastCheckpoint: null,
      mutations: [complete],
    });
    return results[0];
  };
  for (const recordId of ['lost', 'back'])
    await push({ operation: 'create', recordId, baseVersion: null, data: { title: 'first' } });
  await push({ operation: 'delete', recordId: 'back', baseVersion: 1 });
  await behindSync("DELETE FROM task WHERE id = 'lost'");
  await behindSync("INSERT INTO task (id, title) VALUES ('back', 'restored')");
  expect([
    await push({ operation: 'delete', recordId: 'lost', baseVersion: 1 }),
    await push({ operation: 'create', recordId: 'back', baseVersion: 2, data: { title: 'again' } }),
  ]).toMatchObject([
    { status: 'applied', serverVersion: 2 },
    { status: 'applied', serverVersion: 3, record: { title: 'again' } },
  ]);
});
