import { expect, test } from 'vitest';
import type { Case, Contestant, Measured } from '../case.js';
import { compareResults, compareRevisions } from './compare.js';
import { findFaults } from './limits.js';
import { type Result, type Row, summarize } from './result.js';
import { formatResult } from './table.js';

const machine = { cpus: 2, model: 'cpu', memoryGb: 24, node: 'v20' };

function row(contestant: Contestant, ms: readonly (number | null)[], more: Partial<Row> = {}): Row {
  const asked: Case = { workload: 'W6', contestant, size: 1000 };
  const runs = ms.map((time): Measured | null => (time === null ? null : { ops: 100, ms: time, isVerified: true }));
  return { asked, runs, ...more };
}

function result(revision: string, rows: readonly Row[]): Result {
  return { revision, at: '2026-01-01T00:00:00.000Z', machine, rows };
}

test('compares with the yardstick of the same repetition, so that a machine that slows down changes no ratio', () => {
  const [floor, memory] = summarize([row('floor', [10, 100, 1000]), row('memory', [20, 200, 2000])]);
  expect([floor?.timesYardstick, memory?.timesYardstick, memory?.yardstick]).toEqual([undefined, 2, 'floor']);
  expect(memory?.opsPerSecond).toBe(500);
});

test('names a case that ended wrong, failed, or is far outside', () => {
  const wrong = row('memory', [20], { runs: [{ ops: 1, ms: 20, isVerified: false }] });
  const faults = (memory: Row) => findFaults(summarize([row('floor', [10]), memory]));
  expect([
    faults(row('memory', [20])),
    faults(wrong),
    faults(row('memory', [null])),
    faults(row('memory', [9000])),
  ]).toEqual([
    [],
    ['W6 1000 by memory ended with a wrong result.'],
    ['W6 1000 by memory ended with a wrong result.'],
    ['W6 1000 by memory took 900.0 times as long as floor; 20 are allowed.'],
  ]);
});

test('compares two runs by their ratios, and two revisions of one run by their times', () => {
  const before = result('old', [row('floor', [10]), row('memory', [40])]);
  const after = result('new', [row('floor', [100]), row('memory', [200])]);
  expect(compareResults(before, after)).toContain('| W6 1000 | memory | 4.00 | 2.00 | 0.50 |');
  expect(compareRevisions([row('memory', [10, 30]), row('memory', [20, 60], { revision: 'old' })])).toContain(
    '| W6 1000 | memory | old | 0.50 |',
  );
});

test('prints a line for each case, the wrong ones marked', () => {
  const text = formatResult(result('abc', [row('floor', [10]), row('memory', [null])]));
  expect(text).toContain('| W6 1000 | floor | 10,000 | 10 | 1 |');
  expect(text.split('\n').at(-1)).toMatch(/\| memory .*✗ \|$/);
});
