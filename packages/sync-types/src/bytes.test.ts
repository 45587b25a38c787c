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

test('measures JSON as its text does, at every limit', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(400), (value, maxBytes) => {
      expect(isJsonWithin(value, maxBytes)).toBe(utf8Bytes(JSON.stringify(value)) <= maxBytes);
    }),
  );
});
