import { RecordMap } from '@objectql/sync-types';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BaseRecord } from '../storage/client-storage.js';
import { RecordDrafts } from './record-drafts.js';

const REF = { objectName: 'task', recordId: 't1' };
const stored: BaseRecord = { ...REF, version: 5, data: { title: 'v5' }, walk: null };

function holding(record: BaseRecord): RecordMap<BaseRecord> {
  const map = new RecordMap<BaseRecord>();
  map.set(record, record);
  return map;
}

test('keeps the higher version and removes what is deleted', () => {
  const drafts = new RecordDrafts(holding(stored), null);
  drafts.put(REF, 4, { title: 'older' });
  const before = drafts.batch();
  drafts.put(REF, 6, null);
  drafts.put(REF, 5, { title: 'told late' });
  expect([before, drafts.batch()]).toEqual([
    { putRecords: [], removeRecords: [] },
    { putRecords: [], removeRecords: [REF] },
  ]);
});

test('replaces what the walk has not seen yet whatever its version, and keeps the higher of what it has', () => {
  const drafts = new RecordDrafts(holding(stored), 'walk-1');
  drafts.put(REF, 2, { title: 'v2' });
  drafts.put(REF, 1, { title: 'v1' });
  expect(drafts.batch().putRecords).toEqual([{ ...REF, version: 2, data: { title: 'v2' }, walk: 'walk-1' }]);
});

test('ends with the highest version told, in whatever order and however often', () => {
  const version = fc.integer({ min: 1, max: 20 });
  fc.assert(
    fc.property(fc.array(version, { minLength: 1 }), (versions) => {
      const drafts = new RecordDrafts(holding(stored), null);
      for (const told of versions) drafts.put(REF, told, { title: `v${told}` });
      const highest = Math.max(5, ...versions);
      expect(drafts.get(REF)?.data).toEqual({ title: `v${highest}` });
    }),
  );
});
