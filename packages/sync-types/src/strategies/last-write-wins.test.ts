import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { WriteStamp } from '../conflict.js';
import type { Json } from '../json.js';
import { crdt } from './crdt.js';
import { lastWriteWins } from './last-write-wins.js';
import { type Contest, compareWrites, type Strategy } from './strategy.js';

/** A write of some fields by somebody who saw none of the others' writes. */
interface Write {
  readonly stamp: WriteStamp;
  readonly data: Readonly<Record<string, Json>>;
}

/** What a server keeps of a field: its value and the write it comes from. */
type Fields = Readonly<Record<string, { readonly value: Json; readonly stamp: WriteStamp }>>;

/** Distinct writes, as a log never uses a sequence twice. */
const writes: fc.Arbitrary<readonly Write[]> = fc.uniqueArray(
  fc.record({
    stamp: fc.record({
      time: fc.nat(4),
      logId: fc.constantFrom('a', 'b', 'c'),
      sequence: fc.integer({ min: 1, max: 3 }),
    }),
    data: fc.dictionary(fc.constantFrom('title', 'status', 'constructor'), fc.constantFrom('x', 'y', 'z'), {
      minKeys: 1,
    }),
  }),
  { maxLength: 6, selector: ({ stamp }) => `${stamp.logId}${stamp.sequence}` },
);

test('writes of the same base end in the same record whatever their order of arrival', () => {
  const shuffled = writes.chain((original) =>
    fc.tuple(fc.constant(original), fc.shuffledSubarray([...original], { minLength: original.length })),
  );
  fc.assert(
    fc.property(shuffled, ([original, reordered]) => {
      expect(arrive(lastWriteWins, reordered)).toEqual(arrive(lastWriteWins, original));
    }),
  );
});

test('each field ends as its latest writer left it', () => {
  fc.assert(
    fc.property(writes, (original) => {
      const byTime = original.toSorted((a, b) => compareWrites(a.stamp, b.stamp));
      const expected = Object.assign({}, ...byTime.map(({ data }) => data));
      expect(valuesOf(arrive(lastWriteWins, original))).toEqual(expected);
    }),
  );
});

for (const [name, strategy] of [
  ['last-write-wins', lastWriteWins],
  ['crdt', crdt],
] as const) {
  test(`${name} changes nothing when a write arrives again`, () => {
    fc.assert(
      fc.property(writes, (original) => {
        const repeated = original.flatMap((write) => [write, write]);
        expect(arrive(strategy, repeated)).toEqual(arrive(strategy, original));
      }),
    );
  });
}

test('a delete and an edit are decided by a millisecond, a log or a sequence, whichever differs first', () => {
  const earlier = { time: 1, logId: 'a', sequence: 1 };
  const judge = (deleted: WriteStamp, stamp: WriteStamp) =>
    lastWriteWins({
      objectName: 'task',
      recordId: 1,
      kind: 'update-delete',
      mine: { operation: 'update', data: { title: 'x' }, stamp },
      theirs: { record: null, stamps: {}, deleted },
      fields: ['title'],
    });
  for (const later of [
    { ...earlier, time: 2 },
    { ...earlier, logId: 'b' },
    { ...earlier, sequence: 2 },
  ]) {
    expect([judge(later, earlier), judge(earlier, later)]).toEqual([{ do: 'keep' }, { do: 'apply', drop: [] }]);
  }
});

/** The record after these writes, each judged by `strategy` against what stands. */
function arrive(strategy: Strategy, sequence: readonly Write[]): Fields {
  return sequence.reduce((fields, write) => take(strategy, fields, write), {} as Fields);
}

function take(strategy: Strategy, stored: Fields, { stamp, data }: Write): Fields {
  const contested = Object.keys(data).filter(
    (field) => Object.hasOwn(stored, field) && stored[field]?.value !== data[field],
  );
  const contest: Contest = {
    objectName: 'task',
    recordId: 1,
    kind: 'update-update',
    mine: { operation: 'update', data, stamp },
    theirs: {
      record: valuesOf(stored),
      stamps: Object.fromEntries(Object.entries(stored).map(([field, { stamp: written }]) => [field, written])),
    },
    fields: contested,
  };
  const verdict = strategy(contest);
  if (verdict.do !== 'apply') return stored;
  const written = Object.entries(data).flatMap(([field, value]) => {
    if (verdict.drop.includes(field)) return [];
    // An equal value is no contest, and the later of its writes is the one that counts from now on.
    const earlier = Object.hasOwn(stored, field) ? stored[field]?.stamp : undefined;
    return [[field, { value, stamp: earlier && compareWrites(earlier, stamp) > 0 ? earlier : stamp }]];
  });
  return { ...stored, ...Object.fromEntries(written) };
}

function valuesOf(fields: Fields): Readonly<Record<string, Json>> {
  return Object.fromEntries(Object.entries(fields).map(([field, { value }]) => [field, value]));
}
