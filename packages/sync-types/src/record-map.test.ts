import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RecordRef } from './record-key.js';
import { RecordMap } from './record-map.js';

const refArbitrary = fc.record({
  objectName: fc.constantFrom('task', 'project', '1'),
  recordId: fc.constantFrom(1, '1', 'task', '__proto__'),
});
const isSame = (a: RecordRef, b: RecordRef) => a.objectName === b.objectName && a.recordId === b.recordId;

test('holds for each record what was set last, however the records are named', () => {
  const step = fc.record({ ref: refArbitrary, value: fc.option(fc.nat(), { nil: undefined }) });
  fc.assert(
    fc.property(fc.array(step), refArbitrary, (steps, asked) => {
      const map = new RecordMap<number>();
      let model: readonly { readonly ref: RecordRef; readonly value: number }[] = [];
      for (const { ref, value } of steps) {
        if (value === undefined) map.delete(ref);
        else map.set(ref, value);
        model = model.filter((held) => !isSame(held.ref, ref));
        if (value !== undefined) model = [...model, { ref, value }];
      }
      const sorted = (values: Iterable<number>) => [...values].sort((a, b) => a - b);
      const ofObject = model.filter(({ ref }) => ref.objectName === asked.objectName);
      expect([map.get(asked), sorted(map.values()), sorted(map.values(asked.objectName))]).toEqual([
        model.find(({ ref }) => isSame(ref, asked))?.value,
        sorted(model.map(({ value }) => value)),
        sorted(ofObject.map(({ value }) => value)),
      ]);
    }),
  );
});
