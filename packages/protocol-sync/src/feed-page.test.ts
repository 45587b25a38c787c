import { expect, it } from 'vitest';
import type { ReadPermission } from './authorize.js';
import { setUp } from './sync-handler.fixture.js';

it('I12 takes back a record that an earlier page of the same walk showed before it became unreadable', async () => {
  const { handler, pull } = setUp({
    authorize: { read: ({ record }): ReadPermission => (record?.secret ? 'forget' : 'allow') },
    limits: { maxPageRecords: 1 },
  });
  for (const recordId of ['a', 'b']) {
    await handler.recordChange({ objectName: 'task', recordId, operation: 'create', data: { title: 'x' } });
  }
  const first = await pull();
  await handler.recordChange({ objectName: 'task', recordId: 'a', operation: 'update', data: { secret: true } });
  const second = await pull(first.checkpoint);
  const third = await pull(second.checkpoint);
  const brief = [first, second, third].flatMap(({ serverChanges }) =>
    serverChanges.map(({ operation, recordId }) => `${operation} ${recordId}`),
  );
  expect(brief).toEqual(['create a', 'create b', 'delete a']);
});

it('I6 answers no page that was read while the rights of its caller changed', async () => {
  const scopes = ['before', 'after', 'after', 'after'];
  const { handler, pull } = setUp({ authorize: { scope: () => scopes.shift() ?? 'after' } });
  await handler.recordChange({ objectName: 'task', recordId: 'a', operation: 'create', data: { title: 'x' } });
  await expect(pull()).rejects.toMatchObject({ code: 'BUSY' });
  expect((await pull()).serverChanges).toMatchObject([{ recordId: 'a' }]);
});
