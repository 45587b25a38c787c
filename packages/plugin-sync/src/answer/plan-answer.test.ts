import { RecordMap, type SyncMutationResult, type SyncPushResponse } from '@objectql/sync-types';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Resolution } from '../conflicts/conflict-resolver.js';
import type { BaseRecord, StoredEntry } from '../storage/client-storage.js';
import { sampleMutation } from '../storage/contract/storage-samples.js';
import { type DecidedResult, MAX_TRIES } from './outcome-plan.js';
import { type AnswerInput, planAnswer } from './plan-answer.js';

function entry(
  id: string,
  change: Partial<StoredEntry['mutation']> = {},
  more: Partial<StoredEntry> = {},
): StoredEntry {
  const sequence = Number(id.slice(1)) || 1;
  const mutation = sampleMutation({ id, recordId: id, data: { title: id }, sequence, baseVersion: 1, ...change });
  return { mutation, round: 0, tries: 0, ...more };
}

function base(recordId: string, version = 1, walk: string | null = null): BaseRecord {
  return { objectName: 'task', recordId, version, data: { title: 'old', due: 'then' }, walk };
}

function answer(results: readonly SyncMutationResult[], more: Partial<SyncPushResponse> = {}): SyncPushResponse {
  return { protocol: 2, results, serverChanges: [], checkpoint: 'c1', ...more };
}

const applied = (mutationId: string, serverVersion = 2): SyncMutationResult => ({
  status: 'applied',
  mutationId,
  serverVersion,
});

type PlanInput = Partial<AnswerInput> & {
  readonly sent: readonly StoredEntry[];
  readonly answer: SyncPushResponse;
  readonly results?: readonly DecidedResult[];
};

function plan({ sent, results, ...input }: PlanInput, pending = sent) {
  // The tests that have conflicts decide them.
  const decisions = results ?? input.answer.results.flatMap((result) => (result.status === 'conflict' ? [] : [result]));
  return planAnswer({
    decided: sent.flatMap((sentEntry, index) => {
      const result = decisions[index];
      return result ? [{ entry: sentEntry, result }] : [];
    }),
    changes: input.answer.serverChanges,
    checkpoint: null,
    storedByRecord: new RecordMap(),
    pendingOf: ({ recordId }) => pending.filter(({ mutation }) => mutation.recordId === recordId),
    walk: null,
    now: 5000,
    newId: () => crypto.randomUUID(),
    keepsRecordsOf: () => true,
    othersPassed: () => false,
    ...input,
  });
}

const stored = (...records: readonly BaseRecord[]) => {
  const map = new RecordMap<BaseRecord>();
  for (const record of records) map.set(record, record);
  return map;
};

test('computes the new base from what it had and what it sent, unless the server says otherwise', () => {
  const sent = [entry('m1'), entry('m2'), entry('m3', { operation: 'delete' }), entry('m4')];
  const { change } = plan({
    sent,
    storedByRecord: stored(base('m1'), base('m2'), base('m3'), base('m4')),
    answer: answer([
      applied('m1'),
      { ...applied('m2', 3), record: { title: 'merged' } } as SyncMutationResult,
      applied('m3'),
      { ...applied('m4'), record: null } as SyncMutationResult,
    ]),
  });
  expect([change.batch.putRecords, change.batch.removeRecords]).toEqual([
    [
      { ...base('m1', 2), data: { title: 'm1', due: 'then' } },
      { ...base('m2', 3), data: { title: 'merged' } },
    ],
    [
      { objectName: 'task', recordId: 'm3' },
      { objectName: 'task', recordId: 'm4' },
    ],
  ]);
});

test('keeps no records of objects that only push', () => {
  const { change } = plan({
    sent: [entry('m1')],
    storedByRecord: stored(base('m1')),
    keepsRecordsOf: () => false,
    answer: answer([applied('m1')]),
  });
  expect([change.batch.putRecords, change.batch.removeEntries]).toEqual([[], ['m1']]);
});

test('keeps a copy of a record that goes from under a pending change, with the first that waits', () => {
  const waiting = entry('m2', { recordId: 'm1' }, { tries: 3 });
  const deletion = {
    objectName: 'task',
    recordId: 'm1',
    operation: 'delete',
    serverVersion: 9,
    timestamp: '2026-01-01T00:00:00Z',
  } as const;
  const ofChange = plan(
    { sent: [], storedByRecord: stored(base('m1')), answer: answer([], { serverChanges: [deletion] }) },
    [waiting],
  );
  const ofSweep = plan({ sent: [], storedByRecord: stored(base('m1')), walk: 'w', answer: answer([]) }, [waiting]);
  const ofOwnDelete = (result: SyncMutationResult) =>
    plan(
      {
        sent: [entry('m1', { operation: 'delete' })],
        storedByRecord: stored(base('m1')),
        answer: answer([result]),
      },
      [entry('m1', { operation: 'delete' }), waiting],
    );
  const told: SyncMutationResult = { status: 'applied', mutationId: 'm1', serverVersion: 2, record: null };
  const plans = [ofChange, ofSweep, ofOwnDelete(applied('m1')), ofOwnDelete(told)];
  expect(plans.map(({ change }) => change.batch.putEntries)).toEqual([
    [{ ...waiting, copy: { title: 'old', due: 'then' } }],
    [{ ...waiting, copy: { title: 'old', due: 'then' } }],
    [],
    [],
  ]);
});

test('hands a copy on when the entry that carried it is settled', () => {
  const first = entry('m1', { recordId: 'r' }, { copy: { title: 'kept' } });
  const second = entry('m2', { recordId: 'r' });
  const { change } = plan(
    {
      sent: [first],
      answer: answer([{ status: 'rejected', mutationId: 'm1', reason: 'No.', code: 'VALIDATION' }]),
    },
    [first, second],
  );
  expect(change.batch.putEntries).toEqual([{ ...second, copy: { title: 'kept' } }]);
});

test('ends a walk by dropping what it did not see, and not before', () => {
  const page = (hasMore: boolean) => plan({ sent: [], walk: 'w1', answer: answer([], { hasMore }) });
  expect(
    [page(true), page(false)].map(({ change, touched }) => [change.meta, change.batch.sweepWalk, touched]),
  ).toEqual([
    [{ checkpoint: 'c1', walk: 'w1' }, undefined, []],
    [{ checkpoint: 'c1', walk: null }, 'w1', 'all'],
  ]);
});

test('forgets bases when the epoch changes, and again when the walk after it ends', () => {
  const forgets = (walk: string | null, more: Partial<SyncPushResponse>) =>
    plan({ sent: [], walk, answer: answer([], more) }).change.forgetBases;
  expect([
    forgets('epoch:1', { reset: 'epoch', hasMore: true }),
    forgets('epoch:1', { hasMore: true }),
    forgets('epoch:1', {}),
    forgets('w1', { reset: 'expired' }),
    forgets(null, {}),
  ]).toEqual([true, false, true, false, false]);
});

test('I1 every mutation that was sent is settled, taken over by another, or stays', () => {
  const rejection = (code: 'INTERNAL' | 'BUSY' | 'FORBIDDEN' | 'BATCH_TOO_LARGE') =>
    ({ status: 'rejected', reason: 'No.', code }) as const;
  const outcome = fc.oneof(
    fc.constant({ status: 'applied', serverVersion: 2 } as const),
    fc.constantFrom('INTERNAL', 'BUSY', 'FORBIDDEN', 'BATCH_TOO_LARGE').map(rejection),
    fc
      .constantFrom<Resolution['do']>('write', 'yield', 'park')
      .map((resolve) => ({ status: 'conflict', resolve }) as const),
  );
  const shape = fc.record({ outcome, record: fc.nat(2), tries: fc.nat(MAX_TRIES - 1) });
  fc.assert(
    fc.property(fc.array(shape, { maxLength: 8 }), (shapes) => {
      const sent = shapes.map(({ record, tries }, index) =>
        entry(`m${index + 1}`, { recordId: `r${record}` }, { tries }),
      );
      const results = shapes.map((part, index): DecidedResult => {
        const mutationId = `m${index + 1}`;
        if (part.outcome.status !== 'conflict') return { mutationId, ...part.outcome };
        const { mutation } = sent[index] ?? entry('m0');
        const conflict = {
          objectName: 'task',
          recordId: mutation.recordId,
          clientMutation: mutation,
          serverRecord: { title: 'theirs' },
          conflictingFields: ['title'],
          serverVersion: 4,
        };
        const resolutions: Readonly<Record<Resolution['do'], Resolution>> = {
          write: { do: 'write', operation: 'update', data: { title: 'x' }, droppedFields: [], isAutomatic: true },
          yield: { do: 'yield', droppedFields: [] },
          park: { do: 'park' },
        };
        return { status: 'conflict', conflict, resolution: resolutions[part.outcome.resolve], copy: undefined };
      });
      const { change, outcomes: planned } = plan({ sent, results, answer: answer([]) });
      const { settled, newEntries, holds, isBatchTooLarge } = planned;
      const removed = [...(change.batch.removeEntries ?? [])].sort();
      const accounted = [...settled.keys()].sort();
      expect(removed).toEqual(accounted);
      const staying = sent.map(({ mutation }) => mutation.id).filter((id) => !removed.includes(id));
      const held = holds.map((hold) => hold.entry.mutation.id);
      expect(staying.length > held.length).toBe(isBatchTooLarge);
      expect(staying).toEqual(expect.arrayContaining(held));
      for (const id of (change.batch.putEntries ?? []).map(({ mutation }) => mutation.id)) {
        expect(staying).toContain(id);
      }
      const successors = [...settled.values()].flatMap((outcome) => ('successor' in outcome ? outcome.successor : []));
      expect(successors).toEqual(newEntries.map(({ id }) => id));
    }),
  );
});

test('charges a try to what fails while others pass, and buries it at the tenth', () => {
  const failing = { status: 'rejected', mutationId: 'm1', reason: 'No.', code: 'INTERNAL' } as const;
  const charged = (tries: number, others: readonly string[]) =>
    plan({
      sent: [entry('m1', {}, { tries }), ...others.map((id) => entry(id))],
      answer: answer([failing, ...others.map((id) => applied(id))]),
    });
  expect([
    charged(0, ['m2']).change.batch.putEntries,
    charged(0, []).change.batch.putEntries,
    charged(9, ['m2']).change.batch.putDeadLetters,
  ]).toEqual([
    [entry('m1', {}, { tries: 1 })],
    [],
    [{ id: 'm1', mutation: entry('m1').mutation, code: 'INTERNAL', reason: 'No.', deadAt: 5000 }],
  ]);
});
