import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StoredEntry } from '../storage/client-storage.js';
import { sampleMutation } from '../storage/contract/storage-samples.js';
import { type BatchRules, selectBatch } from './select-batch.js';

function entry(id: string, { objectName = 'task', text = '' } = {}): StoredEntry {
  return { mutation: sampleMutation({ id, objectName, recordId: id, data: { text } }), round: 0, tries: 0 };
}

const rules: BatchRules = {
  answered: new Set(),
  isHeld: () => false,
  batchSizeOf: () => 100,
  maxMutations: 100,
  maxBytes: 1_000_000,
};
const ids = (entries: readonly StoredEntry[], change: Partial<BatchRules> = {}) =>
  selectBatch(entries, { ...rules, ...change }).map(({ mutation }) => mutation.id);
const abc = ['a', 'b', 'c'].map((id) => entry(id));

test('takes the log from its start, up to the limits', () => {
  expect([ids(abc), ids(abc, { maxMutations: 2 }), ids([])]).toEqual([['a', 'b', 'c'], ['a', 'b'], []]);
});

test('passes what is answered already', () => {
  expect(ids(abc, { answered: new Set(['a', 'b']) })).toEqual(['c']);
});

test('ends where an object’s own batch size would be exceeded, so that nothing overtakes', () => {
  const entries = [
    entry('a'),
    entry('p1', { objectName: 'project' }),
    entry('b'),
    entry('p2', { objectName: 'project' }),
  ];
  expect(ids(entries, { batchSizeOf: (objectName) => (objectName === 'task' ? 1 : 100) })).toEqual(['a', 'p1']);
});

test('ends where the body would grow too large, but always sends one', () => {
  const large = ['a', 'b', 'c'].map((id) => entry(id, { text: 'é'.repeat(500) }));
  expect([ids(large, { maxBytes: 2600 }), ids(large, { maxBytes: 10 })]).toEqual([['a', 'b'], ['a']]);
});

test('skips the records on hold and goes on with the others', () => {
  expect(ids(abc, { isHeld: ({ recordId }) => recordId === 'a' })).toEqual(['b', 'c']);
});

test('is always a prefix of what may be sent', () => {
  const entries = fc.array(fc.record({ isHeld: fc.boolean(), isProject: fc.boolean(), length: fc.nat(300) }));
  fc.assert(
    fc.property(
      entries,
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 2000 }),
      (shapes, size, maxBytes) => {
        const all = shapes.map(({ isProject, length }, index) =>
          entry(`m${index}`, { objectName: isProject ? 'project' : 'task', text: 'x'.repeat(length) }),
        );
        const isHeld = ({ recordId }: { recordId: string | number }) =>
          shapes[Number(String(recordId).slice(1))]?.isHeld ?? false;
        const sendable = all.filter(({ mutation }) => !isHeld(mutation));
        const batch = selectBatch(all, { ...rules, isHeld, batchSizeOf: () => size, maxBytes });
        expect(batch).toEqual(sendable.slice(0, batch.length));
        expect(batch.length > 0).toBe(sendable.length > 0);
      },
    ),
  );
});
