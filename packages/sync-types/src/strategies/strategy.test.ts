import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contests, writeStamps } from '../../test/contest-arbitrary.js';
import type { WriteStamp } from '../conflict.js';
import { ownValue } from '../json.js';
import { crdt } from './crdt.js';
import { lastWriteWins } from './last-write-wins.js';
import { manual } from './manual.js';
import { type Contest, compareWrites, countedFields, laterFields, lostByTime, type Strategy } from './strategy.js';

const STRATEGIES: readonly (readonly [string, Strategy])[] = [
  ['last-write-wins', lastWriteWins],
  ['crdt', crdt],
  ['manual', manual],
];

describe('compareWrites', () => {
  test('is a total order: two writes are equal, or one is later, and later is transitive', () => {
    fc.assert(
      fc.property(writeStamps, writeStamps, writeStamps, (a, b, c) => {
        const same = a.time === b.time && a.logId === b.logId && a.sequence === b.sequence;
        expect(compareWrites(a, b) === 0).toBe(same);
        expect(Math.sign(compareWrites(a, b)) + Math.sign(compareWrites(b, a))).toBe(0);
        if (compareWrites(a, b) <= 0 && compareWrites(b, c) <= 0) expect(compareWrites(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });

  test('goes by time, then by log, then by sequence', () => {
    const sorted: readonly WriteStamp[] = [
      { time: 1, logId: 'z', sequence: 9 },
      { time: 2, logId: 'a', sequence: 7 },
      { time: 2, logId: 'b', sequence: 1 },
      { time: 2, logId: 'b', sequence: 2 },
    ];
    expect(sorted.toReversed().toSorted(compareWrites)).toEqual(sorted);
  });
});

describe('the contested fields', () => {
  test('either count or go by time, and without declared fields all count', () => {
    fc.assert(
      fc.property(contests, (contest) => {
        const counted = countedFields(contest);
        const byTime = lostByTime(contest);
        expect(contest.fields).toEqual(expect.arrayContaining([...counted, ...byTime]));
        expect(counted.filter((field) => byTime.includes(field))).toEqual([]);
        if (contest.conflictFields === undefined) expect([counted, byTime]).toEqual([contest.fields, []]);
      }),
    );
  });

  test('are lost by time only to a write that is known and later', () => {
    fc.assert(
      fc.property(contests, (contest) => {
        for (const field of laterFields(contest, contest.fields)) {
          const stamp = ownValue(contest.theirs.stamps, field);
          // The arbitrary only puts stamps there.
          expect(stamp && compareWrites(stamp as WriteStamp, contest.mine.stamp)).toBeGreaterThan(0);
        }
      }),
    );
  });
});

for (const [name, strategy] of STRATEGIES) {
  describe(name, () => {
    test('decides the same contest the same way, and leaves it unchanged', () => {
      fc.assert(
        fc.property(contests, (contest) => {
          const before = structuredClone(contest);
          expect(strategy(contest)).toEqual(strategy(structuredClone(contest)));
          expect(contest).toEqual(before);
        }),
      );
    });

    test('drops contested fields only, each once, and writes none that it drops', () => {
      fc.assert(
        fc.property(contests, (contest) => {
          const verdict = strategy(contest);
          if (verdict.do !== 'apply') return;
          expect(new Set(verdict.drop).size).toBe(verdict.drop.length);
          expect(verdict.drop.filter((field) => !contest.fields.includes(field))).toEqual([]);
          expect(Object.keys(verdict.merged ?? {}).filter((field) => verdict.drop.includes(field))).toEqual([]);
        }),
      );
    });

    test('deletes a record whole or not at all', () => {
      fc.assert(
        fc.property(contests, (contest) => {
          const verdict = strategy(contest);
          if (contest.mine.operation === 'delete' && verdict.do === 'apply') expect(verdict.drop).toEqual([]);
        }),
      );
    });
  });
}

describe('last-write-wins', () => {
  test('never decides a declared conflict field by time: the verdict stands whatever the clocks say', () => {
    fc.assert(
      fc.property(contests, writeStamps, (contest, otherStamp) => {
        fc.pre(contest.conflictFields !== undefined && countedFields(contest).length > 0);
        const atAnotherTime: Contest = { ...contest, mine: { ...contest.mine, stamp: otherStamp } };
        expect([lastWriteWins(contest), lastWriteWins(atAnotherTime)]).toEqual([{ do: 'ask' }, { do: 'ask' }]);
      }),
    );
  });
});

describe('crdt', () => {
  test('never asks, and never overwrites a field that counts', () => {
    fc.assert(
      fc.property(contests, (contest) => {
        const verdict = crdt(contest);
        expect(verdict.do).not.toBe('ask');
        if (verdict.do === 'apply') expect(verdict.drop).toEqual(expect.arrayContaining([...countedFields(contest)]));
      }),
    );
  });
});

describe('manual', () => {
  test('never drops a field that counts, nor the edit of a record that others deleted', () => {
    fc.assert(
      fc.property(contests, (contest) => {
        const mustAsk = countedFields(contest).length > 0 || contest.kind === 'update-delete';
        if (mustAsk) expect(manual(contest)).toEqual({ do: 'ask' });
      }),
    );
  });
});
