import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findJsonProblem, type JsonLimits, jsonEquals, ownValue, stringProblem } from './json.js';

const LIMITS: JsonLimits = { maxDepth: 32 };

/** Any JSON that findJsonProblem accepts: well-formed text without NUL, and no key named `__proto__`. */
const storableJson = () => {
  const text = fc.string({ unit: 'binary' }).filter((value) => stringProblem(value) === undefined);
  const names = fc.oneof(text, fc.constantFrom('constructor', 'toString', 'hasOwnProperty', 'length'));
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 5 },
      fc.constant(null),
      fc.boolean(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      text,
      fc.array(tie('json'), { maxLength: 4 }),
      fc.dictionary(
        names.filter((name) => name !== '__proto__'),
        tie('json'),
        { maxKeys: 4 },
      ),
    ),
  }));
  return json;
};

describe('jsonEquals', () => {
  test('compares objects by their keys in any order, at any depth', () => {
    expect(jsonEquals({ a: 1, b: { c: [1, { d: null }] } }, { b: { c: [1, { d: null }] }, a: 1 })).toBe(true);
  });

  test('keeps apart what merely looks alike', () => {
    const alike: readonly (readonly [unknown, unknown])[] = [
      [1, '1'],
      [0, false],
      [null, undefined],
      [null, {}],
      [[], {}],
      [
        [1, 2],
        [2, 1],
      ],
      [['a'], { 0: 'a' }],
      [{ a: null }, {}],
      [{ a: null }, { b: null }],
      [{ a: 1 }, { a: 1, b: 1 }],
    ];
    expect(alike.map(([a, b]) => jsonEquals(a, b) || jsonEquals(b, a))).toEqual(alike.map(() => false));
  });

  test('is not fooled by fields named after what objects inherit', () => {
    expect(jsonEquals({ constructor: 1 }, { constructor: 2 })).toBe(false);
    expect(jsonEquals({ constructor: 1 }, { constructor: 1 })).toBe(true);
    expect(jsonEquals({ toString: null, a: 1 }, { valueOf: null, a: 1 })).toBe(false);
    expect(jsonEquals(JSON.parse('{"__proto__":{"a":1}}'), JSON.parse('{"__proto__":{"a":2}}'))).toBe(false);
    expect(jsonEquals(JSON.parse('{"__proto__":{"a":1}}'), {})).toBe(false);
  });

  test('holds for a value and its copy, and agrees with its own mirror image', () => {
    fc.assert(
      fc.property(storableJson(), storableJson(), (a, b) => {
        expect(jsonEquals(a, structuredClone(a))).toBe(true);
        expect(jsonEquals(a, b)).toBe(jsonEquals(b, a));
      }),
    );
  });
});

describe('ownValue', () => {
  test('gives an own value, and nothing that is inherited', () => {
    expect(ownValue({ constructor: 'mine' }, 'constructor')).toBe('mine');
    expect(ownValue({}, 'constructor')).toBeUndefined();
    expect(ownValue({}, '__proto__')).toBeUndefined();
  });
});

describe('findJsonProblem', () => {
  test('finds nothing in what survives JSON unchanged', () => {
    fc.assert(
      fc.property(storableJson(), (value) => {
        expect(findJsonProblem(value, LIMITS)).toBeUndefined();
        expect(jsonEquals(JSON.parse(JSON.stringify(value)), value)).toBe(true);
      }),
    );
  });

  test('accepts any value only if JSON gives it back equal', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withSparseArray: true }), (value) => {
        fc.pre(findJsonProblem(value, LIMITS) === undefined);
        expect(jsonEquals(JSON.parse(JSON.stringify(value)), value)).toBe(true);
      }),
    );
  });

  class Money {
    readonly amount = 1;
  }
  const cycle: Record<string, unknown> = {};
  cycle.self = { again: cycle };
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

  const PROBLEMS: readonly { readonly says: string; readonly value: unknown; readonly sentence: string }[] = [
    {
      says: 'undefined',
      value: { a: undefined },
      sentence: '$.a is undefined, which JSON cannot hold; leave it out or use null',
    },
    { says: 'NaN', value: { a: [1, Number.NaN] }, sentence: '$.a[1] is NaN, which JSON has no number for' },
    { says: 'Infinity', value: -Infinity, sentence: '$ is -Infinity, which JSON has no number for' },
    { says: 'a BigInt', value: { a: 1n }, sentence: '$.a is a bigint, which JSON cannot hold' },
    { says: 'a function', value: { toJSON: () => 1 }, sentence: '$.toJSON is a function, which JSON cannot hold' },
    { says: 'a symbol', value: [Symbol('x')], sentence: '$[0] is a symbol, which JSON cannot hold' },
    {
      says: 'a symbol for a key',
      value: { [Symbol('x')]: 1 },
      sentence: '$ has a symbol for a key, which JSON cannot hold',
    },
    { says: 'a Date', value: { tags: [{ at: new Date(0) }] }, sentence: '$.tags[0].at is a Date, not a plain object' },
    { says: 'a class instance', value: { price: new Money() }, sentence: '$.price is a Money, not a plain object' },
    { says: 'a Map', value: new Map(), sentence: '$ is a Map, not a plain object' },
    {
      says: 'a hole in an array',
      value: new Array(1),
      sentence: '$[0] is undefined, which JSON cannot hold; leave it out or use null',
    },
    { says: 'a cycle', value: cycle, sentence: `$${'.self.again'.repeat(16)} is nested too deep, or refers to itself` },
    { says: 'NUL in a text', value: { a: 'x\0y' }, sentence: '$.a contains a NUL character' },
    { says: 'NUL in a key', value: { 'x\0y': 1 }, sentence: '$.x\0y contains a NUL character' },
    { says: 'a lone high surrogate', value: ['\ud83d'], sentence: '$[0] contains half of a surrogate pair' },
    { says: 'a lone low surrogate', value: ['a\ude00'], sentence: '$[0] contains half of a surrogate pair' },
    {
      says: 'a prototype as a key',
      value: JSON.parse('{"a":{"__proto__":1}}'),
      sentence: '$.a.__proto__ is a field name that objects cannot carry safely',
    },
    {
      says: 'one level too many',
      value: nested(33),
      sentence: `$${'[0]'.repeat(32)} is nested too deep, or refers to itself`,
    },
  ];
  for (const { says, value, sentence } of PROBLEMS) {
    test(`finds ${says}`, () => {
      const found = findJsonProblem(value, LIMITS);
      expect(found && `${found.path} ${found.problem}`).toBe(sentence);
    });
  }

  test('accepts exactly as many levels as it is told', () => {
    expect(findJsonProblem(nested(32), LIMITS)).toBeUndefined();
    expect(findJsonProblem({ a: 1 }, { maxDepth: 1 })).toBeUndefined();
    expect(findJsonProblem({ a: {} }, { maxDepth: 1 })).toEqual({
      path: '$.a',
      problem: 'is nested too deep, or refers to itself',
    });
  });

  test('meets a million levels of nesting without overflowing the stack', () => {
    const deep = JSON.parse('['.repeat(1_000_000) + ']'.repeat(1_000_000));
    expect(findJsonProblem(deep, LIMITS)?.problem).toBe('is nested too deep, or refers to itself');
  });

  test('accepts objects without a prototype, from another realm, and with fields named after methods', () => {
    const bare = Object.assign(Object.create(null), { a: 1 });
    const otherRealm = Object.assign(Object.create(Object.create(null)), { a: 1 });
    const shadowing = { constructor: 1, toString: 2, hasOwnProperty: 3 };
    expect([bare, otherRealm, shadowing].map((value) => findJsonProblem(value, LIMITS))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('accepts whole surrogate pairs', () => {
    expect(findJsonProblem({ '😀': '👩‍👩‍👧' }, LIMITS)).toBeUndefined();
  });
});
