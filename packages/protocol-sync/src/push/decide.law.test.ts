/** Laws of the decision that hold for all records and mutations; single cases stand in `decide.test.ts`. */
import { crdt, type JsonObject, lastWriteWins, manual, type Strategy } from '@objectql/sync-types';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldWrite, writeRecord } from '../records/record-state.js';
import type { RecordState } from '../storage/sync-store.js';
import { mutation, task } from './decide.fixture.js';
import { decide } from './decide.js';

const FIELDS = ['a', 'b', 'c', 'constructor'] as const;

const datas = fc.dictionary(fc.constantFrom(...FIELDS), fc.integer({ min: 0, max: 3 }), { maxKeys: 4 });
const edits = fc.record({
  logId: fc.constantFrom('A', 'B', 'C'),
  operation: fc.constantFrom('create' as const, 'update' as const, 'update' as const, 'delete' as const),
  data: datas,
  time: fc.nat(20),
  age: fc.nat(4),
});
type Edit = typeof edits extends fc.Arbitrary<infer T> ? T : never;
const strategies = fc.constantFrom<Strategy | undefined>(undefined, lastWriteWins, crdt, manual);
const rules = fc.record({
  strategy: strategies,
  conflictFields: fc.option(fc.subarray([...FIELDS]), { nil: undefined }),
});

describe('the decision', () => {
  it('is the same each time, changes nothing it is given, and is of one known kind', () => {
    checkSteps(({ incoming, before, given, decision }) => {
      expect(decide(incoming, before, given)).toEqual(decision);
      expect(['write', 'keep', 'conflict', 'reject']).toContain(decision.do);
    });
  });

  it('I5 raises the version by one at each write, and knows of each field one write, none of a version that is not yet', () => {
    checkSteps(({ before, decision, next }) => {
      expect(next?.version ?? 0).toBe((before?.version ?? 0) + (decision.do === 'write' ? 1 : 0));
      const versions = next?.writes.map(({ version }) => version) ?? [];
      expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
      expect(versions.every((version) => version <= (next?.version ?? 0))).toBe(true);
      const named = next?.writes.flatMap(({ fields }) => fields ?? []) ?? [];
      const present = Object.keys(next?.data ?? {});
      expect([new Set(named).size, named.every((field) => present.includes(field))]).toEqual([named.length, true]);
      const owners = new Set(present.map((field) => next && fieldWrite(next, field)));
      expect(owners.has(undefined)).toBe(false);
      // The last one stays also where it wrote nothing.
      expect(next?.writes.slice(0, -1).every((last) => owners.has(last)) ?? true).toBe(true);
    });
  });

  it('I8 writes each field of a mutation, or names it as dropped, or answers a conflict or a refusal', () => {
    checkSteps(({ incoming: { mutation }, decision, next }) => {
      if ((decision.do !== 'write' && decision.do !== 'keep') || mutation.operation === 'delete') return;
      const lost = Object.entries(mutation.data ?? {}).filter(
        ([field, value]) => !(Object.hasOwn(next?.data ?? {}, field) && next?.data?.[field] === value),
      );
      expect(decision.droppedFields).toEqual(expect.arrayContaining(lost.map(([field]) => field)));
    });
  });

  it('ends in the same record under last-write-wins, in whatever order the updates of several devices arrive', () => {
    const concurrent = fc
      .uniqueArray(fc.record({ logId: fc.constantFrom('A', 'B', 'C', 'D'), data: datas, time: fc.nat(20) }), {
        selector: ({ logId }) => logId,
        minLength: 2,
      })
      .chain((updates) => fc.tuple(fc.constant(updates), fc.shuffledSubarray(updates, { minLength: updates.length })));
    fc.assert(
      fc.property(concurrent, ([updates, shuffled]) => {
        const endsAs = (order: typeof updates) => {
          let state: RecordState | undefined = created();
          for (const { logId, data, time } of order) {
            // All of them saw version 1 and nothing later.
            const update = mutation({ data, baseVersion: 1 });
            const incoming = { mutation: update, stamp: { time, logId, sequence: 1 } };
            state = after(state, incoming, decide(incoming, state, { strategy: lastWriteWins }));
          }
          return state?.data;
        };
        expect(endsAs(shuffled)).toEqual(endsAs(updates));
      }),
    );
  });
});

type Incoming = Parameters<typeof decide>[0];

interface Step {
  readonly incoming: Incoming;
  readonly before: RecordState | undefined;
  readonly given: Parameters<typeof decide>[2];
  readonly decision: ReturnType<typeof decide>;
  readonly next: RecordState | undefined;
}

/** Checks each step of any history of edits, decided on top of the record that the steps before it left. */
function checkSteps(check: (step: Step) => void): void {
  fc.assert(
    fc.property(fc.array(edits, { minLength: 1, maxLength: 10 }), rules, (history, given) => {
      let before: RecordState | undefined;
      history.forEach((edit, index) => {
        const incoming = deepFreeze(mutationOf(edit, before, index));
        const decision = decide(incoming, deepFreeze(before), given);
        const next = after(before, incoming, decision);
        check({ incoming, before, given, decision, next });
        before = next;
      });
    }),
  );
}

function mutationOf(
  { operation, data, logId, time, age }: Edit,
  state: RecordState | undefined,
  index: number,
): Incoming {
  const baseVersion = state ? Math.max(0, state.version - age) : null;
  const edit = mutation({ operation, baseVersion, ...(operation === 'delete' ? {} : { data }) });
  return { mutation: edit, stamp: { time, logId, sequence: index + 1 } };
}

function created(): RecordState {
  const by = { time: 0, logId: 'Z', sequence: 1 };
  const data: JsonObject = { a: 9, b: 9 };
  return writeRecord(undefined, { ...task, operation: 'create', data, stamp: by, changedAt: 0, origin: null }, 0);
}

function after(
  state: RecordState | undefined,
  { stamp }: Incoming,
  decision: ReturnType<typeof decide>,
): RecordState | undefined {
  if (decision.do !== 'write') return state;
  return writeRecord(state, { ...task, ...decision, stamp, changedAt: 0, origin: null }, 0);
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}
