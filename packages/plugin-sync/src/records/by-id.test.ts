import { expect, test } from 'vitest';
import { byId, placeOf } from './by-id.js';

test('orders numbers before texts, and both as IndexedDB does', () => {
  const ids = ['b', 10, 'a', 9, '10', -1];
  const inOrder = ids.map((recordId) => ({ objectName: 'task', recordId })).sort(byId);
  expect(inOrder.map(({ recordId }) => recordId)).toEqual([-1, 9, 10, '10', 'a', 'b']);
});

test('finds where each record is, and where each of the others belongs', () => {
  const list = [-1, 9, 'a', 'c'].map((recordId) => ({ objectName: 'task', recordId }));
  const places = [-2, -1, 0, 9, 10, 'a', 'b', 'c', 'd'].map((recordId) =>
    placeOf({ objectName: 'task', recordId }, list),
  );
  expect(places).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4]);
});
