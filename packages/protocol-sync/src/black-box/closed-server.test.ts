import { expect, it } from 'vitest';
import { create, errorOf, setUp } from '../sync-handler.fixture.js';

it('refuses all that is asked of it once it is closed, so that clients come again', async () => {
  const { handler, push, pull } = setUp();
  await push({ mutations: [create({ title: 'x' })] });
  await handler[Symbol.asyncDispose]();
  const asked = [
    push({}),
    pull(),
    handler.getRecord('task', 't1'),
    handler.listRecords('task'),
    handler.recordChange({ objectName: 'task', recordId: 't1', operation: 'delete' }),
    handler.watch(null, { onPoke: () => {}, onEnd: () => {} }),
    handler.prune(),
  ];
  expect(new Set(await Promise.all(asked.map(errorOf)))).toEqual(new Set(['503 BUSY']));
});

it('blames no mutation of a push that does not end before it is closed', async () => {
  const { handler, push, warnings } = setUp();
  const written: unknown[] = [];
  const resolver = {
    getRecord: () => undefined,
    applyMutation({ recordId }: { readonly recordId: unknown }) {
      written.push(recordId);
      void handler.close();
    },
  };
  const mutations = ['a', 'b', 'c'].map((recordId) => create({}, { recordId }));
  expect(await errorOf(push({ mutations }, resolver))).toBe('503 BUSY');
  expect([written, warnings]).toEqual([['a'], []]);
});
