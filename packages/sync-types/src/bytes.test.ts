import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isJsonWithin, utf8Bytes } from './bytes.js';

test('counts the bytes that TextEncoder writes, for any string of 16-bit units', () => {
  const encoder = new TextEncoder();
  const unit = fc.oneof(fc.nat(0x7f), fc.nat(0xffff), fc.integer({ min: 0xd800, max: 0xdfff }));
  const text = fc.array(unit).map((units) => String.fromCharCode(...units));
  fc.assert(
    fc.property(text, (value) => {
      expect(utf8Bytes(value)).toBe(encoder.encode(value).length);
    }),
  );
});

test('counts lone surrogates as the three bytes that replace them', () => {
  expect(['\ud800', '\ud800é', '\ud800\ud83d\ude00', '\ude00'].map(utf8Bytes)).toEqual([3, 5, 7, 3]);
});

test('measures JSON to the byte, as its text does', () => {
  // What is escaped takes the most, and names may be longer than what they name.
  const text = fc.oneof(fc.string(), fc.string({ unit: fc.constant('\u0001') }));
  const named = fc.dictionary(text, fc.oneof(text, fc.constant('')));
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), named), (value) => {
      const bytes = utf8Bytes(JSON.stringify(value));
      expect([isJsonWithin(value, bytes), isJsonWithin(value, bytes - 1)]).toEqual([true, false]);
    }),
  );
});
