import { MAX_PAGE_RECORDS } from '@objectql/sync-types';
import { expect, it } from 'vitest';
import { mutation, setUp } from '../sync-handler.fixture.js';

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

  const { checkpoint } = await handler.handlePull(pull);
  const made = mutation({ id: 'm"1', operation: 'create', data: {} });
  await handler.handlePush({ clientId: 'a', logId: 'log"', lastCheckpoint: null, mutations: [made] });
  const later = { ...pull, lastCheckpoint: checkpoint };
  const told = await handler.handlePull(later);
  expect(told.serverChanges).toMatchObject([
    { origin: { logId: 'log"', mutationId: made.id, sequence: made.sequence } },
  ]);
  expect(JSON.parse((await handler.answerPull(later)).text)).toEqual(told);
});

it('tells where the answer to a push ends when all of it is applied, and else not', async () => {
  const { handler } = setUp();
  const one = (recordId: string, operation: 'create' | 'update', sequence: number) => ({
    ...{ id: `${operation}-${recordId}`, clientId: 'writer', objectName: 'task', recordId, operation, sequence },
    ...{ data: { title: 'x' }, timestamp: '2026-01-01T00:00:00.000Z', baseVersion: null },
  });
  const request = { clientId: 'writer', logId: 'log', protocol: 2, lastCheckpoint: null };
  const create = one('a', 'create', 1);
  const applied = { ...request, mutations: [create] };
  const inPart = { ...request, mutations: [one('b', 'create', 2), one('missing', 'update', 3)] };
  const told = [];
  for (const body of [
    applied,
    applied,
    { ...applied, pull: false },
    inPart,
    { ...applied, lastCheckpoint: '2.another-feed.1.0.' },
  ]) {
    const { text, nextPage } = await handler.answerPush(body);
    const { results, checkpoint, reset } = JSON.parse(text);
    told.push([
      results.map(({ status }: { status: string }) => status).join(),
      reset,
      nextPage && nextPage === checkpoint,
    ]);
  }
  expect(told).toEqual([
    ['applied', undefined, true],
    ['applied', undefined, true],
    ['applied', undefined, true],
    ['applied,rejected', undefined, undefined],
    ['', 'epoch', undefined],
  ]);
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
