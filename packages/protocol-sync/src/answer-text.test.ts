import { MAX_PAGE_RECORDS } from '@objectql/sync-types';
import { expect, it } from 'vitest';
import { setUp } from './sync-handler.fixture.js';

it('answers as text what it answers as a value, with texts that JSON must escape', async () => {
  const { handler } = setUp();
  const data = { title: 'say "hi" \\ \u2028 {}[],', tags: ['a', null], constructor: 1 };
  await handler.recordChange({ objectName: 'task', recordId: 'a"\n', operation: 'create', data });
  await handler.recordChange({ objectName: 'task', recordId: 1, operation: 'create', data: {} });
  await handler.recordChange({ objectName: 'task', recordId: 1, operation: 'delete' });
  const pull = { clientId: 'reader', protocol: 2, lastCheckpoint: null };
  expect(JSON.parse((await handler.answerPull(pull)).text)).toEqual(await handler.handlePull(pull));
  const push = { ...pull, mutations: [{ id: 'malformed' }] };
  expect(JSON.parse((await handler.answerPush(push)).text)).toEqual(await handler.handlePush(push));
});

it('tells where the next page begins, unless the results have a say in that', async () => {
  const { handler } = setUp();
  for (let recordId = 0; recordId <= MAX_PAGE_RECORDS; recordId++) {
    await handler.recordChange({ objectName: 'task', recordId, operation: 'create', data: {} });
  }
  const pull = { clientId: 'reader', protocol: 2, lastCheckpoint: null };
  const { checkpoint } = await handler.handlePull(pull);
  const told = await handler.answerPull(pull);
  const last = await handler.answerPull({ ...pull, lastCheckpoint: checkpoint });
  const push = await handler.answerPush({ ...pull, mutations: [{ id: 'malformed' }] });
  const reset = await handler.answerPull({ ...pull, lastCheckpoint: '2.another-feed.1.0.' });
  expect([told, last, push, reset].map(({ nextPage }) => nextPage)).toEqual([
    checkpoint,
    undefined,
    undefined,
    undefined,
  ]);
  expect([push, reset].map(({ text }) => JSON.parse(text).hasMore)).toEqual([true, true]);
});
