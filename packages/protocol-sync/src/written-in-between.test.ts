import { expect, it } from 'vitest';
import type { RecordResolver } from './record-resolver.js';
import { create, mutation, setUp } from './sync-handler.fixture.js';

it('I11 keeps what was written past sync while an announced write was being made', async () => {
  const { handler, push, pull } = setUp();
  const row: Record<string, unknown> = {};
  const resolver: RecordResolver = {
    getRecord: () => ('title' in row ? row : undefined),
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

it('I11 takes over what the application has when somebody else wrote while an announced write was being made', async () => {
  for (const operation of ['create', 'update', 'delete'] as const) {
    const { handler, push, pull } = setUp();
    const rows = new Map<unknown, Record<string, unknown>>();
    let isMet = false;
    const resolver: RecordResolver = {
      getRecord: (_objectName, recordId) => rows.get(recordId),
      async applyMutation(applied) {
        if (applied.operation === 'delete') rows.delete('t1');
        else rows.set('t1', { ...applied.data });
        if (applied.operation !== operation || isMet) return;
        isMet = true;
        const data = { due: 'tomorrow' };
        rows.set('t1', { ...rows.get('t1'), ...data });
        await handler.recordChange({ objectName: 'task', recordId: 't1', operation: 'update', data });
      },
    };
    const mutations = [create({ title: 'x' })];
    if (operation !== 'create')
      mutations.push(mutation({ operation, ...(operation === 'update' ? { data: { title: 'y' } } : {}) }));
    const { results } = await push({ mutations }, resolver);
    expect(results.at(-1)).toMatchObject({ status: 'applied', record: rows.get('t1') });
    expect((await pull()).serverChanges).toMatchObject([{ data: rows.get('t1') }]);
  }
});
