import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type RecordRef, recordKey } from './record-key.js';

test('gives two records the same key exactly when they are the same record', () => {
  const piece = fc.oneof(fc.string({ unit: 'binary', maxLength: 3 }), fc.constantFrom('1', ':', '#', '1:', '0:#'));
  const record: fc.Arbitrary<RecordRef> = fc.record({
    objectName: piece,
    recordId: fc.oneof(piece, fc.maxSafeInteger(), fc.constant(1)),
  });
  fc.assert(
    fc.property(record, record, (a, b) => {
      const same = a.objectName === b.objectName && a.recordId === b.recordId;
      expect(recordKey(a) === recordKey(b)).toBe(same);
    }),
  );
});

test('tells a number from its text, and an object from a part of an id', () => {
  const keys = [
    recordKey({ objectName: 'task', recordId: 1 }),
    recordKey({ objectName: 'task', recordId: '1' }),
    recordKey({ objectName: 'task:a', recordId: 'b' }),
    recordKey({ objectName: 'task', recordId: 'a:b' }),
  ];
  expect(keys).toEqual(['4:task#1', '4:task:1', '6:task:a:b', '4:task:a:b']);
});
