/** What becomes of a field that two devices wrote. */
import { expect, it } from 'vitest';
import { brief, create, mutation, setUp } from '../sync-handler.fixture.js';

it('meets no conflict where another device wrote the same value', async () => {
  const { push } = setUp({ strategy: 'manual' });
  await push({ logId: 'log-b', mutations: [create({ title: 'x' }), mutation({ data: { title: 'done' } })] });
  expect(brief((await push({ mutations: [mutation({ baseVersion: 1, data: { title: 'done' } })] })).results)).toEqual([
    'applied',
  ]);
});

it('lets the later write of a field win, also one that wrote what was there', async () => {
  const { push } = setUp({ strategy: 'last-write-wins' });
  const at = (minute: number, data: object) =>
    mutation({ baseVersion: 1, data: data as never, timestamp: `2026-03-01T11:${minute}:00.000Z` });
  await push({ logId: 'log-b', mutations: [create({ title: 'x', status: 'new' }), at(40, { status: 'done' })] });
  await push({ logId: 'log-c', mutations: [at(30, { title: 'x' })] });
  const { results } = await push({ mutations: [at(20, { title: 'y' })] });
  expect(results).toMatchObject([{ status: 'applied', droppedFields: ['title'] }]);
});
