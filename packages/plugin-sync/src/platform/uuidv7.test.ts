import { expect, test } from 'vitest';
import { uuidv7 } from './uuidv7.js';

const NOW = Date.UTC(2100, 0, 1);

test('is of version 7 and of the variant of RFC 9562, and begins with the time in milliseconds', () => {
  const id = uuidv7(NOW);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(NOW);
});

test('sorts in the order the ids were made, whatever the clock does, also with more than a counter holds in a millisecond', () => {
  const clock = [...Array(10_000).fill(NOW + 1), ...Array(100).fill(NOW - 86_400_000), NOW + 1, NOW + 9, NOW + 10];
  const ids = clock.map((now) => uuidv7(now));
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
});

test('draws every random bit anew', () => {
  const bits = (id: string) => BigInt(`0x${id.replaceAll('-', '').slice(16)}`);
  const seen = Array.from({ length: 1000 }, () => bits(uuidv7(NOW + 20)));
  const mask = (1n << 62n) - 1n;
  expect([seen.reduce((or, value) => or | value) & mask, seen.reduce((and, value) => and & value) & mask]).toEqual([
    mask,
    0n,
  ]);
});
