import { jsonEquals } from '@objectql/sync-types';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byId } from '../records/by-id.js';
import { keepSameItems, keepSameRecords } from './keep-same.js';

const record = (recordId: string, title = '') => ({ objectName: 'task', recordId, title });

test('keeps each record that is the same JSON, wherever others came and went', () => {
  const before = ['b', 'c', 'd', 'f'].map((id) => record(id));
  const after = [record('a'), record('b'), record('c', 'new'), record('e'), record('f')];
  const kept = keepSameRecords(before, after);
  expect(kept).toEqual(after);
  expect(kept.map((item) => before.indexOf(item))).toEqual([-1, 0, -1, -1, 3]);
  expect(
    keepSameRecords(
      before,
      ['b', 'c', 'd', 'f'].map((id) => record(id)),
    ),
  ).toBe(before);
});

test('keeps of any two lists what is the same JSON in both, and the first list if that is all', () => {
  const records = fc
    .uniqueArray(fc.record({ id: fc.constantFrom(...'abcdefgh'), title: fc.constantFrom('', 'new') }), {
      selector: ({ id }) => id,
    })
    .map((some) => some.map(({ id, title }) => record(id, title)).sort(byId));
  fc.assert(
    fc.property(records, records, (before, after) => {
      const kept = keepSameRecords(before, after);
      const same = after.map((one) => before.find((other) => jsonEquals(one, other)) ?? one);
      expect(kept).toEqual(after);
      expect(kept.every((one, index) => one === same[index])).toBe(true);
      expect(kept === before).toBe(jsonEquals(before, after));
    }),
  );
});

test('looks at no record that is the object it was, though one came before all and others changed or went', () => {
  let looks = 0;
  const watched = Array.from({ length: 1000 }, (_, n) => ({
    objectName: 'task',
    get recordId() {
      looks += 1;
      return `r${n}`;
    },
  }));
  const after = [record('a'), ...watched.slice(0, 1), record('r1', 'new'), ...watched.slice(3)];
  const kept = keepSameRecords(watched, after);
  expect(looks).toBeLessThan(20);
  expect(kept).toEqual(after);
});

test('keeps each item that waits, wherever others came and went', () => {
  const before = ['b', 'c'].map((id) => ({ id, reason: '' }));
  const after = [
    { id: 'c', reason: '' },
    { id: 'b', reason: 'new' },
    { id: 'd', reason: '' },
  ];
  const kept = keepSameItems(before, after);
  expect(kept).toEqual(after);
  expect(kept.map((item) => before.indexOf(item))).toEqual([1, -1, -1]);
  expect(
    keepSameItems(
      before,
      before.map((item) => ({ ...item })),
    ),
  ).toBe(before);
});

test.each([
  ['the last item went', [{ id: 'b', reason: '' }]],
  [
    'one item changed',
    [
      { id: 'b', reason: '' },
      { id: 'c', reason: 'new' },
    ],
  ],
])('tells a list of what waits anew in which %s', (_, after) => {
  const before = ['b', 'c'].map((id) => ({ id, reason: '' }));
  expect(keepSameItems(before, after)).toEqual(after);
});
