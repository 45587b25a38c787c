import { expect, test } from 'vitest';
import { sampleConflict, sampleDeadLetter, sampleEntry } from './contract/storage-samples.js';
import { inOrder } from './state-order.js';

test('lists entries by sequence, and what waits by how long and then by id', () => {
  const [a, b, c] = ['a', 'b', 'c'];
  const ordered = {
    meta: null,
    entries: [sampleEntry(b, 1), sampleEntry(a, 2), sampleEntry(c, 3)],
    conflicts: [sampleConflict(c, 1), sampleConflict(a, 2), sampleConflict(b, 2)],
    deadLetters: [sampleDeadLetter(c, 1), sampleDeadLetter(a, 2), sampleDeadLetter(b, 2)],
  };
  const { meta, entries, conflicts, deadLetters } = ordered;
  const reversed = {
    meta,
    entries: entries.toReversed(),
    conflicts: conflicts.toReversed(),
    deadLetters: deadLetters.toReversed(),
  };
  expect([inOrder(ordered), inOrder(reversed)]).toEqual([ordered, ordered]);
});
