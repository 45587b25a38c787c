import { expect, it } from 'vitest';
import { setUp } from './sync-handler.fixture.js';

it('answers as text what it answers as a value, with texts that JSON must escape', async () => {
  const { handler } = setUp();
  const data = { title: 'say "hi" \\ \u2028 {}[],', tags: ['a', null], constructor: 1 };
  await handler.recordChange({ objectName: 'task', recordId: 'a"\n', operation: 'create', data });
  await handler.recordChange({ objectName: 'task', recordId: 1, operation: 'create', data: {} });
  await handler.recordChange({ objectName: 'task', recordId: 1, operation: 'delete' });
  const pull = { clientId: 'reader', protocol: 2, lastCheckpoint: null };
  expect(JSON.parse(await handler.answerPull(pull))).toEqual(await handler.handlePull(pull));
  const push = { ...pull, mutations: [{ id: 'malformed' }] };
  expect(JSON.parse(await handler.answerPush(push))).toEqual(await handler.handlePush(push));
});
