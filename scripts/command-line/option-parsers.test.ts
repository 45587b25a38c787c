import { InvalidArgumentError } from 'commander';
import { expect, test } from 'vitest';
import { parseCount, parseRange, parseSome } from './option-parsers.js';

test('reads counts, ranges and lists of names', () => {
  expect(parseCount('100')).toBe(100);
  expect(parseRange('42')).toEqual([42, 42]);
  expect(parseRange('1..1000')).toEqual([1, 1000]);
  expect(parseSome(['W1', 'W2', 'W3'])('W3,W1')).toEqual(['W3', 'W1']);
});

test.each(['0', '-1', '1.5', '1e3', 'ten', '', '99999999999999999'])('refuses "%s" as a count', (text) => {
  expect(() => parseCount(text)).toThrow(InvalidArgumentError);
});

test.each(['1-1000', '1..2..3', '5..1', '..', 'a..b'])('refuses "%s" as a range, and does not run nothing', (text) => {
  expect(() => parseRange(text)).toThrow(InvalidArgumentError);
});

test('names what there is when a name is unknown', () => {
  expect(() => parseSome(['W1', 'W2'])('W1,W9')).toThrow('"W9" is none of W1, W2.');
});
