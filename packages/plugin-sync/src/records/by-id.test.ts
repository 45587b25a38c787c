import { expect, test } from 'vitest';
import { byId } from './by-id.js';

test('orders numbers before texts, and both as IndexedDB does', () => {
  const ids = ['b', 10, 'a', 9, '10', -1];
  const inOrder = ids.map((recordId) => ({ objectName: 'task', recordId })).sort(byId);
  expect(inOrder.map(({ recordId }) => recordId)).toEqual([-1, 9, 10, '10', 'a', 'b']);
});
