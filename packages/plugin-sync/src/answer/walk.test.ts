import { expect, test } from 'vitest';
import { beginWalk, isEpochWalk } from './walk.js';

test('remembers that bases are unknown, also when another reset interrupts the walk', () => {
  const epoch = beginWalk('epoch', null, 'id1');
  const interrupted = beginWalk('expired', epoch, 'id2');
  expect([epoch, interrupted, beginWalk('scope', null, 'id3')].map((walk) => [walk, isEpochWalk(walk)])).toEqual([
    ['epoch:id1', true],
    ['epoch:id2', true],
    ['id3', false],
  ]);
  expect(isEpochWalk(null)).toBe(false);
});
