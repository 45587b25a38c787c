import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BACKOFF_MAX_MS, backoffMs, RETRY_AFTER_MAX_MS, retryDelayMs } from './backoff.js';

test('doubles the longest delay with each failure, up to a minute', () => {
  const longest = [1, 2, 3, 4, 5, 6, 7, 8, 1000].map((failures) => backoffMs(failures, 1));
  expect(longest).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test('spreads the delays over the whole range', () => {
  expect([0, 0.25, 0.5, 0.75].map((jitter) => backoffMs(4, jitter))).toEqual([0, 2000, 4000, 6000]);
});

test('stays between nothing and a minute', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (n, jitter) => {
      const delayMs = backoffMs(n, jitter);
      expect(delayMs >= 0 && delayMs <= BACKOFF_MAX_MS).toBe(true);
    }),
  );
});

test('obeys a server that asks for more, but for no more than an hour', () => {
  const asked = [undefined, 500, 90_000, 9e15].map((retryAfterMs) => retryDelayMs(retryAfterMs, 2, 0.5));
  expect(asked).toEqual([1000, 1000, 90_000, RETRY_AFTER_MAX_MS]);
});
