import { describe, expect, test } from 'vitest';
import { counterSchema, identifierSchema, instantSchema, recordIdSchema } from './identifier.js';

describe('an identifier', () => {
  test('may be any text that every store keeps, up to 128 bytes', () => {
    const kept = ['a', 'constructor', '__proto__', 'Größe 😀', 'x'.repeat(128), 'é'.repeat(64)];
    expect(kept.map((value) => identifierSchema.safeParse(value).data)).toEqual(kept);
  });

  test('is refused with the reason', () => {
    const reasons = ['', 'x'.repeat(129), 'é'.repeat(65), 'a\0', '\ud83d'].map(
      (value) => identifierSchema.safeParse(value).error?.issues[0]?.message,
    );
    expect(reasons).toEqual([
      'may not be empty',
      'may not be longer than 128 bytes',
      'may not be longer than 128 bytes',
      'contains a NUL character',
      'contains half of a surrogate pair',
    ]);
  });
});

test('a record id is an identifier or a safe integer', () => {
  const accepted = ['task-1', '1', 1, 0, -7, Number.MAX_SAFE_INTEGER];
  expect(accepted.map((value) => recordIdSchema.safeParse(value).data)).toEqual(accepted);
  const refused = ['', 1.5, 2 ** 53, Number.NaN, null, undefined, true, {}, ['a'], 1n];
  expect(refused.filter((value) => recordIdSchema.safeParse(value).success)).toEqual([]);
});

test('a counter is a safe integer from 0', () => {
  expect([0, 1, Number.MAX_SAFE_INTEGER].every((value) => counterSchema.safeParse(value).success)).toBe(true);
  expect([-1, 0.5, 2 ** 53, '1', null].filter((value) => counterSchema.safeParse(value).success)).toEqual([]);
});

test('an instant names its zone', () => {
  const accepted = ['2026-11-23T10:15:00.000Z', '2026-11-23T10:15:00Z', '2026-11-23T11:15:00.123456+01:00'];
  expect(accepted.filter((value) => !instantSchema.safeParse(value).success)).toEqual([]);
  const refused = ['2026-11-23T10:15:00', '2026-11-23', '2026-02-30T00:00:00Z', 'yesterday', '', 1_795_428_900_000];
  expect(refused.filter((value) => instantSchema.safeParse(value).success)).toEqual([]);
});
