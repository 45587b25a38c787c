import type { SyncPushResponse, SyncServerChange } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import { WholeAnswer } from './whole-answer.js';

const changes = (count: number, page: number): readonly SyncServerChange[] =>
  Array.from({ length: count }, (_, index) => ({
    objectName: 'task',
    recordId: page * 10_000 + index,
    operation: 'delete',
    serverVersion: 1,
    timestamp: '2026-01-01T00:00:00.000Z',
  }));

function page(number: number, count: number): SyncPushResponse {
  return {
    results: [{ status: 'applied', mutationId: `m${number}`, serverVersion: 1 }],
    serverChanges: changes(count, number),
    checkpoint: `c${number}`,
  };
}

test('is the last answer with the results of all', () => {
  const whole = new WholeAnswer();
  for (const number of [1, 2, 3]) whole.add(page(number, 2));
  expect(whole.get()).toEqual({
    results: ['m1', 'm2', 'm3'].map((mutationId) => ({ status: 'applied', mutationId, serverVersion: 1 })),
    serverChanges: [1, 2, 3].flatMap((number) => changes(2, number)),
    checkpoint: 'c3',
  });
});

test('tells a reset whichever answer told it', () => {
  const whole = new WholeAnswer();
  whole.add({ ...page(1, 1), reset: 'epoch', hasMore: true });
  whole.add({ ...page(2, 1), hasMore: false });
  expect(whole.get()).toMatchObject({ reset: 'epoch', checkpoint: 'c2', hasMore: false });
});

test('keeps the last thousand changes of a long sync', () => {
  const whole = new WholeAnswer();
  for (const number of [1, 2, 3]) whole.add(page(number, 500));
  expect(whole.get()?.serverChanges).toEqual([...changes(500, 2), ...changes(500, 3)]);
});

test('is nothing without an answer', () => {
  expect(new WholeAnswer().get()).toBeNull();
});
