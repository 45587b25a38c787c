import { expect, it } from 'vitest';
import type { RecordResolver } from './record-resolver.js';
import { create, mutation, setUp } from './sync-handler.fixture.js';

it('I11 keeps what was written past sync while an announced write was being made', async () => {
  const { handler, push, pull } = setUp();
  const row: Record<string, unknown> = {};
  const resolver: RecordResolver = {
    getRecord: () => undefined,
    async applyMutation({ data, operation }) {
      Object.assign(row, data);
      if (operation !== 'update') return;
      row.due = 'tomorrow';
      await handler.recordChange({
        objectName: 'task',
        recordId: 't1',
        operation: 'update',
        data: { due: 'tomorrow' },
      });
    },
  };
  await push({ mutations: [create({ title: 'x' }), mutation({ data: { title: 'y' } })] }, resolver);
  const [change] = (await pull()).serverChanges;
  expect([change?.data, change?.serverVersion]).toEqual([row, 3]);
});
