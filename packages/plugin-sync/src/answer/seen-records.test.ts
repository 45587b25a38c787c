import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SeenRecords } from './seen-records.js';

test('never denies a record that was added, and few of those that were not', () => {
  const refs = fc.array(fc.record({ objectName: fc.string(), recordId: fc.oneof(fc.string(), fc.maxSafeInteger()) }));
  fc.assert(
    fc.property(refs, (added) => {
      const seen = new SeenRecords();
      seen.add(added);
      expect(added.every((ref) => seen.mayHave(ref))).toBe(true);
    }),
  );
  const tasks = Array.from({ length: 200_000 }, (_, n) => ({ objectName: 'task', recordId: `task-${n}` }));
  const seen = new SeenRecords();
  seen.add(tasks.slice(0, 100_000));
  expect(tasks.slice(100_000).filter((ref) => seen.mayHave(ref)).length).toBeLessThan(2000);
  seen.forget();
  seen.add([]);
  expect(tasks.every((ref) => seen.mayHave(ref))).toBe(true);
});
