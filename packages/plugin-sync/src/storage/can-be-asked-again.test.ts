import { describe, expect, it } from 'vitest';
import { canBeAskedAgain } from './can-be-asked-again.js';
import type { ClientMeta, StorageBatch } from './client-storage.js';
import { sampleConflict, sampleDeadLetter, sampleEntry, sampleMeta, sampleRecord } from './contract/storage-samples.js';

describe('canBeAskedAgain', () => {
  const stored = sampleMeta({ checkpoint: 'c1', revision: 4 });
  const told = {
    expectCheckpoint: 'c1',
    expectRevision: 4,
    meta: sampleMeta({ checkpoint: 'c2', revision: 5, walk: 'w1' }),
    putEntries: [],
    removeEntries: [],
    putConflicts: [],
    putRecords: [sampleRecord()],
    removeRecords: [{ objectName: 'task', recordId: 'task-2' }],
    sweepWalk: 'w1',
  };

  it('is so for records and the place in the feed', () => {
    expect(canBeAskedAgain(told, stored)).toBe(true);
    expect(canBeAskedAgain({ putRecords: [sampleRecord()] }, stored)).toBe(true);
  });

  it.each<readonly [string, StorageBatch]>([
    ['an entry', { putEntries: [sampleEntry('m1')] }],
    ['an entry that goes', { removeEntries: ['m1'] }],
    ['a conflict', { putConflicts: [sampleConflict('m1')] }],
    ['a conflict that goes', { removeConflicts: ['m1'] }],
    ['a dead letter', { putDeadLetters: [sampleDeadLetter('m1')] }],
    ['a dead letter that goes', { removeDeadLetters: ['m1'] }],
  ])('is not so for %s', (_, own) => {
    expect(canBeAskedAgain({ ...told, ...own }, stored)).toBe(false);
  });

  it.each<Partial<ClientMeta>>([{ logId: 'log-2' }, { nextSequence: 2 }, { user: 'ada' }, { epochs: 1 }])(
    'is not so for a client that is another one: %o',
    (changed) => {
      expect(canBeAskedAgain({ ...told, meta: { ...told.meta, ...changed } }, stored)).toBe(false);
    },
  );

  it('is not so for the first batch of all, which makes the log', () => {
    expect(canBeAskedAgain(told, null)).toBe(false);
    expect(canBeAskedAgain({ putRecords: [sampleRecord()] }, null)).toBe(false);
  });
});
