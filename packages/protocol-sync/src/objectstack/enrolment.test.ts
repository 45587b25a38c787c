import { AS_SYSTEM } from '@objectql/sync-types/kernel';
import { expect, it, onTestFinished, vi } from 'vitest';
import { SyncProtocolPlugin } from '../sync-protocol-plugin.js';
import { startKernel, temporaryDatabase } from './kernel.fixture.js';

// ObjectStack takes seconds to load and to make its tables on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const text = { type: 'text', label: 'Text' } as const;

it('I4 sends what a changed definition makes of records that nobody writes', async () => {
  const { filename, remove } = temporaryDatabase();
  onTestFinished(remove);
  const run = async (fields: object, record?: object) => {
    const sync = new SyncProtocolPlugin();
    const objects = [{ name: 'task', label: 'Task', sync: { enabled: true }, fields }];
    const { engine, stop } = await startKernel({ objects, plugins: [sync], filename });
    if (record) await engine.insert('task', record, { context: AS_SYSTEM });
    await sync.enrolled();
    const { serverChanges } = await sync.handler.handlePull({ clientId: 'tablet', lastCheckpoint: null });
    await stop();
    return serverChanges.map(({ data, serverVersion }) => [data?.size, data?.status, serverVersion]);
  };
  const changed = { size: { ...text, type: 'number' }, status: { ...text, defaultValue: 'new' } };
  expect([await run({ size: text }, { id: 't1', size: '5' }), await run(changed), await run(changed)]).toEqual([
    [['5', undefined, 1]],
    [[5, 'new', 2]],
    [[5, 'new', 2]],
  ]);
});
