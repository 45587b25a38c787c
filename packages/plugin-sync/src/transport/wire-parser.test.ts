import { findJsonProblem, MAX_ID_BYTES, MAX_JSON_DEPTH } from '@objectql/sync-types';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { identifier, recordData } from './wire-parser.js';

const STRANGE = [
  -0,
  Number.NaN,
  1n,
  undefined,
  'a\0',
  '\ud800',
  '😀',
  new Date(0),
  Symbol('x'),
  () => 1,
  new Map(),
  [],
];

const valueArbitrary = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.anything({ key: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', 'constructor', 'a\0')) }),
  fc.constantFrom(...STRANGE),
  fc.array(fc.constantFrom(...STRANGE, 1, 'x'), { maxLength: 3 }),
);

test('takes a record exactly when nothing in it is a problem to JSON, as a frozen copy that JSON would give', () => {
  const seen = { taken: 0, refused: 0 };
  fc.assert(
    fc.property(fc.dictionary(fc.string(), valueArbitrary, { maxKeys: 3, noNullPrototype: true }), (record) => {
      if (findJsonProblem(record, { maxDepth: MAX_JSON_DEPTH })) {
        seen.refused++;
        expect(() => recordData(record)).toThrow();
      } else {
        seen.taken++;
        const copy = recordData(record);
        expect(JSON.stringify(copy)).toBe(JSON.stringify(record));
        expect([isFrozen(copy), Object.isFrozen(record)]).toEqual([true, false]);
      }
    }),
    { numRuns: 2000 },
  );
  expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(200);
});

test.each([
  ['lists', (inner: unknown) => [inner]],
  ['objects', (inner: unknown) => ({ inner })],
])('takes %s that are nested as deep as JSON may be here, and no deeper', (_, wrap) => {
  const nested = (depth: number): unknown => (depth === 0 ? 1 : wrap(nested(depth - 1)));
  const deepest = { top: nested(MAX_JSON_DEPTH - 1) };
  expect(recordData(deepest)).toEqual(deepest);
  expect(() => recordData({ top: nested(MAX_JSON_DEPTH) })).toThrow('is nested too deep, or refers to itself');
});

test.each(['x', 'é', '😀'])('takes an id of as many bytes as every store keeps, and no longer one: %s', (letter) => {
  const longest = letter.repeat(MAX_ID_BYTES / new TextEncoder().encode(letter).length);
  expect(identifier(longest)).toBe(longest);
  expect(() => identifier(`${longest}x`)).toThrow('must be a text of 1 to 128 bytes');
});

test('keeps no zero that is negative, which JSON would not', () => {
  expect(recordData({ balance: -0 })).toStrictEqual({ balance: 0 });
});

test('takes a field that is named like one of a prototype, and none that would change it', () => {
  const record = JSON.parse('{"constructor":{"toString":[1]},"length":2}');
  expect(recordData(record)).toEqual(record);
  expect(() => recordData(JSON.parse('{"a":{"__proto__":{"isAdmin":true}}}'))).toThrow('is behind a field name');
});

function isFrozen(value: unknown): boolean {
  return (
    typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(isFrozen))
  );
}
