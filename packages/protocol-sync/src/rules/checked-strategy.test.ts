import type { Strategy } from '@objectql/sync-types';
import { expect, it } from 'vitest';
import { brief, create, mutation, setUp } from '../sync-handler.fixture.js';

/** Two devices that write the same field of a record, decided by this strategy; the second one sends twice. */
async function contest(strategy: Strategy) {
  const { push, pull, warnings } = setUp({ strategy });
  await push({ mutations: [create({ stock: 3, tags: ['a'] }, { recordId: 'x' })] });
  await push({ mutations: [mutation({ recordId: 'x', data: { stock: 4 }, baseVersion: 1 })] });
  const late = mutation({ recordId: 'x', data: { stock: 5, tags: ['b'] }, baseVersion: 1 });
  const send = () => push({ logId: 'log-b', mutations: [structuredClone(late)] });
  const results = [brief((await send()).results), brief((await send()).results)].flat();
  const { serverChanges } = await pull();
  return { results, data: serverChanges[0]?.data, causes: warnings.map(({ cause }) => String(cause)) };
}

it('I2 takes from a strategy its verdict alone, whatever it does to the contest', async () => {
  const { results, data } = await contest(({ mine, theirs }) => {
    Object.assign(theirs.record ?? {}, { stock: -1 });
    (mine.data.tags as string[]).push('c');
    Object.assign(mine.data, { note: 'by the strategy' });
    return { do: 'apply', drop: [], merged: { stock: 9 } };
  });
  expect([results, data]).toEqual([['applied', 'applied'], { stock: 9, tags: ['b'] }]);
});

it.each([
  ['keep', ['applied', 'applied'], { stock: 4, tags: ['a'] }],
  ['ask', ['conflict', 'conflict'], { stock: 4, tags: ['a'] }],
] as const)('takes a strategy that says %s at its word', async (what, results, data) => {
  expect(await contest(() => ({ do: what }))).toEqual({ results, data, causes: [] });
});

it.each([
  ['answers what is no verdict', () => ({ do: 'merge', drop: [] }), 'no verdict'],
  ['applies without saying what it drops', () => ({ do: 'apply' }), 'no verdict'],
  ['drops what is no field', () => ({ do: 'apply', drop: ['stock', undefined] }), 'no verdict'],
  ['merges what is no fields', () => ({ do: 'apply', drop: [], merged: 'stock' }), 'no verdict'],
  ['adds up what is no number', () => ({ do: 'apply', drop: [], merged: { stock: Number.NaN } }), '$.stock is NaN'],
  ['answers a promise', async () => ({ do: 'keep' }), 'The strategy answered no verdict in a contest about task'],
  ['answers nothing', () => {}, 'no verdict'],
])('keeps the record and tries again, saying why, where a strategy %s', async (_, strategy, cause) => {
  // A cast: JavaScript answers what it likes.
  const { results, data, causes } = await contest(strategy as unknown as Strategy);
  expect([results, data]).toEqual([['INTERNAL', 'INTERNAL'], { stock: 4, tags: ['a'] }]);
  expect(causes).toEqual([expect.stringContaining(cause), expect.stringContaining(cause)]);
});

it('tells with a conflict that a strategy of the application has left it to the user', async () => {
  const { push } = setUp({ strategy: () => ({ do: 'ask' }) });
  await push({ logId: 'log-b', mutations: [create({ title: 'x' })] });
  const { results } = await push({ mutations: [mutation({ data: { title: 'y' } })] });
  expect(results).toMatchObject([{ status: 'conflict', conflict: { strategy: 'custom' } }]);
});
