import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StoredEntry } from '../storage/client-storage.js';
import { sampleMutation } from '../storage/contract/storage-samples.js';
import { PendingEntries } from './pending-entries.js';

function entry(
  id: string,
  sequence: number,
  { recordId = id, objectName = 'task' }: { recordId?: string | number; objectName?: string } = {},
): StoredEntry {
  return { mutation: sampleMutation({ id, objectName, recordId, sequence }), round: 0, tries: 0 };
}

const ids = (entries: Iterable<StoredEntry>) => Array.from(entries, ({ mutation }) => mutation.id);

test('keeps the order of the sequences, also of an entry that was numbered before those appended meanwhile', () => {
  const pending = new PendingEntries();
  for (const [id, sequence] of [
    ['a', 1],
    ['b', 2],
    ['d', 4],
    ['e', 5],
    ['c', 3],
  ] as const) {
    pending.put(entry(id, sequence, { recordId: 'same record' }));
  }
  expect([ids(pending), ids(pending.ofRecord({ objectName: 'task', recordId: 'same record' }))]).toEqual([
    ['a', 'b', 'c', 'd', 'e'],
    ['a', 'b', 'c', 'd', 'e'],
  ]);
});

test('replaces an entry in its place', () => {
  const pending = new PendingEntries();
  pending.put(entry('a', 1));
  pending.put(entry('b', 2));
  pending.put({ ...entry('a', 1), tries: 3 });
  expect(Array.from(pending, ({ mutation, tries }) => [mutation.id, tries])).toEqual([
    ['a', 3],
    ['b', 0],
  ]);
});

test('moves an entry that comes back under a new sequence to its new place', () => {
  const pending = new PendingEntries();
  for (const [id, sequence] of [
    ['a', 1],
    ['b', 2],
  ] as const)
    pending.put(entry(id, sequence));
  pending.remove('a');
  pending.put(entry('a', 3));
  expect(ids(pending)).toEqual(['b', 'a']);
});

test('tells what is to be saved until it is saved, and leaves out what went meanwhile', () => {
  const pending = new PendingEntries();
  for (const id of ['a', 'b', 'c']) pending.put(entry(id, id.charCodeAt(0)));
  const saving = pending.unsaved();
  pending.remove('b');
  pending.put(entry('d', 200));
  saving.saved();
  pending.putDurable(entry('e', 201));
  expect([ids(saving.entries), ids(pending.unsaved().entries)]).toEqual([['a', 'b', 'c'], ['d']]);
  expect(['a', 'b', 'c', 'd', 'e'].map((id) => pending.isDurable(id))).toEqual([true, undefined, true, false, true]);
});

test('gives out what is durable up to the first that is not, so that nothing overtakes', () => {
  const pending = new PendingEntries();
  for (const id of ['a', 'b', 'd']) pending.putDurable(entry(id, id.charCodeAt(0)));
  pending.remove('b');
  const before = ids(pending.durable());
  pending.put(entry('c', 'c'.charCodeAt(0)));
  expect([before, ids(pending.durable())]).toEqual([['a', 'd'], ['a']]);
});

test('takes an entry that is numbered anew for one that is not saved', () => {
  const pending = new PendingEntries();
  pending.putDurable(entry('a', 1));
  pending.putDurable({ ...entry('a', 1), tries: 1 });
  const before = ids(pending.unsaved().entries);
  pending.put(entry('a', 2));
  expect([before, ids(pending.unsaved().entries), [...pending].length]).toEqual([[], ['a'], 1]);
});

test('finds the entries of one object and of one record', () => {
  const pending = new PendingEntries();
  pending.put(entry('a', 1, { recordId: 1 }));
  pending.put(entry('b', 2, { recordId: '1' }));
  pending.put(entry('c', 3, { recordId: 1, objectName: 'project' }));
  expect([
    ids(pending.ofObject('task')),
    ids(pending.ofRecord({ objectName: 'task', recordId: 1 })),
    ids(pending.ofRecord({ objectName: 'task', recordId: '1' })),
    ids(pending.ofObject('nothing')),
  ]).toEqual([['a', 'b'], ['a'], ['b'], []]);
});

test('holds and finds what a plain sorted list would, whatever is added, removed and asked for, in whatever order', () => {
  const id = fc.constantFrom('a', 'b', 'c', 'd');
  const step = fc.oneof(
    fc.record({ do: fc.constant('append'), recordId: id }),
    fc.record({ do: fc.constantFrom('put', 'putDurable', 'remove', 'ask'), id, recordId: id }),
    fc.record({ do: fc.constant('remove oldest') }),
  );
  fc.assert(
    fc.property(fc.array(step as fc.Arbitrary<Step>, { maxLength: 40 }), (steps) => {
      const pending = new PendingEntries();
      const model = new Map<string, StoredEntry>();
      const inOrder = () => [...model.values()].sort((a, b) => a.mutation.sequence - b.mutation.sequence);
      for (const [index, { do: what, id: named, recordId = 'a' }] of steps.entries()) {
        const key = what === 'append' ? `new ${index}` : (named ?? inOrder()[0]?.mutation.id ?? '');
        const made = entry(key, index, { recordId });
        switch (what) {
          case 'ask':
            expect(pending.get(key)).toBe(model.get(key));
            expect(pending.get(key, model.get(key)?.mutation.sequence)).toBe(model.get(key));
            break;
          case 'remove':
          case 'remove oldest':
            expect(pending.remove(key)).toBe(model.delete(key));
            break;
          default:
            pending[what](made);
            model.set(key, made);
        }
      }
      expect([[...pending], pending.size]).toEqual([inOrder(), model.size]);
      for (const recordId of ['a', 'b', 'c', 'd']) {
        const ofRecord = inOrder().filter(({ mutation }) => mutation.recordId === recordId);
        expect(pending.ofRecord({ objectName: 'task', recordId })).toEqual(ofRecord);
      }
    }),
    { numRuns: 500 },
  );
});

interface Step {
  readonly do: 'append' | 'put' | 'putDurable' | 'remove' | 'remove oldest' | 'ask';
  readonly id?: string;
  readonly recordId?: string;
}

test('counts an id that a badly made platform gives out twice as one entry, the later', () => {
  const pending = new PendingEntries();
  pending.append(entry('twin', 1, { recordId: 'a' }));
  pending.append(entry('between', 2, { recordId: 'a' }));
  pending.append(entry('twin', 3, { recordId: 'b' }));
  expect(ids(pending.ofRecord({ objectName: 'task', recordId: 'a' }))).toEqual(['between']);
  pending.put(entry('twin', 4, { recordId: 'b' }));
  expect([ids(pending), pending.size]).toEqual([['between', 'twin'], 2]);
  expect(ids(pending.ofRecord({ objectName: 'task', recordId: 'b' }))).toEqual(['twin']);
});
