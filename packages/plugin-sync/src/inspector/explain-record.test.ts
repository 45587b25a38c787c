import { expect, it } from 'vitest';
import { sampleEntry, sampleRecord } from '../storage/contract/storage-samples.js';
import { explainRecord, type InspectedEntry, type RecordFacts } from './explain-record.js';

const RECORD = { objectName: 'task', recordId: 't1' };
const NOTHING: RecordFacts = { base: undefined, pending: [], conflicts: [], deadLetters: [], walk: null };
const BASE = { ...sampleRecord({ ...RECORD, version: 3, data: { title: 'Theirs', status: 'open' } }), walk: null };

function entry(mutation: Partial<InspectedEntry['mutation']>, rest: Partial<InspectedEntry> = {}): InspectedEntry {
  const sample = sampleEntry('m1');
  return {
    ...sample,
    progress: 'stored',
    ...rest,
    mutation: { ...sample.mutation, ...RECORD, sequence: 7, ...mutation },
  };
}

function because(facts: Partial<RecordFacts>): readonly string[] {
  return explainRecord(RECORD, { ...NOTHING, ...facts }).because;
}

it('says that a record is as the server has it', () => {
  expect(explainRecord(RECORD, { ...NOTHING, base: BASE })).toMatchObject({
    shown: { data: BASE.data, version: 3, isPending: false },
    fields: [
      { field: 'title', value: 'Theirs', mutationId: null },
      { field: 'status', value: 'open', mutationId: null },
    ],
    because: ['The server last told version 3.', 'Nothing of it is pending, and nothing waits for a decision.'],
  });
});

it('says which pending change each field comes from, and what the server has instead', () => {
  const pending = [
    entry({ id: 'm1', operation: 'update', data: { title: 'First', note: 'New' } }),
    entry({ id: 'm2', sequence: 8, operation: 'update', data: { title: 'Second' } }, { progress: 'storing' }),
  ];
  const { fields, because: reasons } = explainRecord(RECORD, { ...NOTHING, base: BASE, pending });
  expect(fields).toEqual([
    { field: 'title', value: 'Second', mutationId: 'm2', serverValue: 'Theirs' },
    { field: 'status', value: 'open', mutationId: null },
    { field: 'note', value: 'New', mutationId: 'm1' },
  ]);
  expect(reasons.slice(1)).toEqual([
    'On top of it lies update 7 of title, note, made here: stored, not sent yet.',
    'On top of it lies update 8 of title, made here: not stored yet.',
  ]);
});

it('says why a record is not shown', () => {
  const { data, ...withoutData } = entry({ operation: 'delete' }).mutation;
  const pendingDelete = { ...entry({}), mutation: withoutData };
  expect(because({}).at(1)).toBe('It is not shown: there is none.');
  expect(because({ base: BASE, pending: [pendingDelete] }).at(-1)).toBe(
    'It is not shown, because its delete is pending.',
  );
  expect(because({ pending: [entry({ operation: 'update', data: { title: 'x' } })] }).at(-1)).toBe(
    'It is not shown: an update alone does not tell its other fields.',
  );
});

it('says that a record has not come yet while all are received anew', () => {
  const [reason] = because({ base: { ...BASE, walk: 'w1' }, walk: 'w2' });
  expect(reason).toMatch('this one has not come yet');
  expect(because({ base: { ...BASE, walk: 'w2' }, walk: 'w2' })[0]).toBe('The server last told version 3.');
});

it('says what was put off, what resolution made, what waits and what was refused', () => {
  const mutation = entry({ id: 'm1', operation: 'update', data: { title: 'Mine' } }).mutation;
  const reasons = because({
    base: BASE,
    pending: [entry({ operation: 'update', data: { status: 'done' } }, { tries: 2, round: 1 })],
    conflicts: [
      {
        id: 'm1',
        parkedAt: 0,
        conflict: { ...RECORD, clientMutation: mutation, serverRecord: null, conflictingFields: ['title'] },
      },
    ],
    deadLetters: [{ id: 'm1', mutation, code: 'VALIDATION', reason: 'Too long.', deadAt: 0 }],
  });
  expect(reasons).toEqual([
    'The server last told version 3.',
    'On top of it lies update 7 of status, made by conflict resolution 1: stored, not sent yet; the server has put it off 2 times.',
    'A conflict about the update of title waits for the user, where the server has it deleted.',
    'The update 7 was refused and is not in it. VALIDATION: Too long.',
  ]);
});

it('says why a change lets others go first, and how often it has failed', () => {
  const failed = (count: number) =>
    because({ pending: [entry({ operation: 'delete' }, { failedAlone: { count, message: 'Refused (403).' } })] });
  const has = 'Sent alone, delete 7 has failed';
  const last = 'since this client started, the last time with “Refused (403).”.';
  expect([failed(1)[2], failed(6).slice(1, 3)]).toEqual([
    `${has} 1 time ${last}`,
    [
      'On top of it lies delete 7 of title, made here: stored, to be sent again.',
      `${has} 6 times ${last} Others go first; it is tried again within a minute, in turn with its like.`,
    ],
  ]);
});

it('says it in whole sentences where there is little to say', () => {
  const { mutation } = entry({ id: 'm1', operation: 'update', data: { title: 'Mine' } });
  const conflict = { ...RECORD, clientMutation: mutation, serverRecord: {}, conflictingFields: [] };
  const reasons = because({
    base: { ...BASE, walk: 'w1' },
    pending: [entry({ operation: 'update', data: { status: 'done' } }, { tries: 1, progress: 'sending' })],
    conflicts: [{ id: 'm1', parkedAt: 0, conflict }],
  });
  expect(reasons).toEqual([
    'The server last told version 3.',
    'On top of it lies update 7 of status, made here: being sent; the server has put it off 1 time.',
    'A conflict about the update waits for the user, and the server’s stands meanwhile.',
  ]);
});
