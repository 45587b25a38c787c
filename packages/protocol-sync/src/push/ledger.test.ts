import { expect, it } from 'vitest';
import { sampleRow } from '../storage/contract/store-samples.js';
import { besideOthers } from './ledger.js';

const row = sampleRow('mine', { logId: 'log', sequence: 7, at: 1000 });

it('leaves an outcome its place in the log unless another mutation has taken that', () => {
  const known = [
    row,
    sampleRow('before it', { logId: 'log', sequence: 6 }),
    sampleRow('in another log', { logId: 'other', sequence: 7 }),
  ];
  expect(besideOthers(row, known, 'next')).toEqual(row);
});

it('I2 moves an outcome whose place is taken, to be forgotten later than the one in its place', () => {
  const takenAt = (at: number) => [sampleRow('of a clone', { logId: 'log', sequence: 7, at })];
  expect(besideOthers(row, takenAt(1000), 'next')).toEqual({ ...row, logId: 'next', at: 1001 });
  expect(besideOthers(row, takenAt(10), null)).toEqual({ ...row, logId: null });
});

it('leaves an outcome of no log as it is', () => {
  const outside = { ...row, logId: null };
  expect(besideOthers(outside, [sampleRow('another', { logId: null, sequence: 7, at: 5000 })], 'next')).toEqual(
    outside,
  );
});
