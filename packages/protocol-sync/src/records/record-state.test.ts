import { type JsonObject, jsonEquals } from '@objectql/sync-types';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordState } from '../storage/sync-store.js';
import { fieldWrite, latestWrite, withStoredRecord, writeRecord } from './record-state.js';

const FIELDS = ['a', 'b', 'c', 'constructor'] as const;
const datas = fc.dictionary(fc.constantFrom(...FIELDS), fc.integer({ min: 0, max: 2 }), { maxKeys: 4 });
const edits = fc.record({ logId: fc.constantFrom('A', 'B', 'C'), data: datas, time: fc.nat(5) });

/** A record that was created and then updated by each of the edits, in their order. */
function recordAfter(history: readonly { logId: string; data: JsonObject; time: number }[]): RecordState {
  const state = history.reduce<RecordState | undefined>((before, { logId, data, time }, index) => {
    const stamp = { time, logId, sequence: index + 1 };
    const operation = before ? ('update' as const) : ('create' as const);
    const write = { objectName: 'task', recordId: 't1', operation, data, stamp, changedAt: 0, origin: null };
    return writeRecord(before, write, 0);
  }, undefined);
  if (!state) throw new Error('at least one edit');
  return state;
}

describe('the record that a resolver stored in place of the computed one', () => {
  const cases = fc.record({ history: fc.array(edits, { minLength: 1, maxLength: 6 }), stored: datas });

  it('stamps what the resolver changed with the write, and leaves every other field to the write it had', () => {
    fc.assert(
      fc.property(cases, ({ history, stored }) => {
        const computed = recordAfter(history);
        const state = withStoredRecord(computed, stored);
        expect([state.data, state.version]).toEqual([stored, computed.version]);
        for (const [field, value] of Object.entries(stored)) {
          const isKept = Object.hasOwn(computed.data ?? {}, field) && jsonEquals(value, computed.data?.[field]);
          const expected = isKept ? fieldWrite(computed, field)?.stamp : latestWrite(computed);
          expect(fieldWrite(state, field)?.stamp).toEqual(expected);
        }
      }),
    );
  });

  it('keeps as much as it has fields, and one write for the version, however often a record is stored', () => {
    fc.assert(
      fc.property(cases, ({ history, stored }) => {
        const state = withStoredRecord(withStoredRecord(recordAfter(history), stored), stored);
        const versions = state.writes.map(({ version }) => version);
        expect([versions.at(-1), new Set(versions).size]).toEqual([state.version, versions.length]);
        const named = state.writes.flatMap(({ fields }) => fields ?? []);
        expect([new Set(named).size, named.every((field) => Object.hasOwn(stored, field))]).toEqual([
          named.length,
          true,
        ]);
        expect(state.writes.length).toBeLessThanOrEqual(Object.keys(stored).length + 1);
      }),
    );
  });
});
