import { crdt, lastWriteWins, type MutationLogEntry, manual, type WriteStamp } from '@objectql/sync-types';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeRecord } from '../records/record-state.js';
import type { RecordState } from '../storage/sync-store.js';
import { mutation, task } from './decide.fixture.js';
import { type Decision, decide } from './decide.js';

function stamp(logId: string, sequence: number, time = sequence): WriteStamp {
  return { time, logId, sequence };
}

/** A record as a list of writes by others left it. */
function recordAfter(
  ...writes: readonly { operation: 'create' | 'update' | 'delete'; data?: object; by: WriteStamp }[]
): RecordState {
  const state = writes.reduce<RecordState | undefined>(
    (before, { operation, data = {}, by }) =>
      writeRecord(
        before,
        { ...task, operation, data: data as MutationLogEntry['data'] & object, stamp: by, changedAt: 0, origin: null },
        0,
      ),
    undefined,
  );
  if (!state) throw new Error('at least one write');
  return state;
}

const write = (operation: 'create' | 'update' | 'delete', data: object): Decision => ({
  do: 'write',
  operation,
  data: data as never,
  droppedFields: [],
  altered: false,
});
const conflict = (kind: string, fields: readonly string[]) =>
  expect.objectContaining({ do: 'conflict', contest: expect.objectContaining({ kind, fields }) });

const live = recordAfter(
  { operation: 'create', data: { title: 'a', status: 'new' }, by: stamp('B', 1) },
  { operation: 'update', data: { title: 'b' }, by: stamp('B', 2) },
);
const deleted = recordAfter(
  { operation: 'create', data: { title: 'a' }, by: stamp('B', 1) },
  { operation: 'delete', by: stamp('B', 5) },
);

type StoredKind = 'live, no foreign field' | 'live, foreign fields' | 'deleted' | 'never existed';
const stored: Record<StoredKind, { before: RecordState | undefined; base: number | null }> = {
  'live, no foreign field': { before: live, base: 2 },
  'live, foreign fields': { before: live, base: 1 },
  deleted: { before: deleted, base: 1 },
  'never existed': { before: undefined, base: null },
};

const table: Record<MutationLogEntry['operation'], Record<StoredKind, unknown>> = {
  create: {
    'live, no foreign field': write('update', { title: 'mine' }),
    'live, foreign fields': conflict('create-create', ['title']),
    deleted: write('create', { title: 'mine' }),
    'never existed': write('create', { title: 'mine' }),
  },
  update: {
    'live, no foreign field': write('update', { title: 'mine' }),
    'live, foreign fields': conflict('update-update', ['title']),
    deleted: conflict('update-delete', ['title']),
    'never existed': expect.objectContaining({ do: 'reject', code: 'NOT_FOUND' }),
  },
  delete: {
    'live, no foreign field': write('delete', {}),
    'live, foreign fields': conflict('delete-update', ['title']),
    deleted: { do: 'keep', droppedFields: [] },
    'never existed': expect.objectContaining({ do: 'reject', code: 'NOT_FOUND' }),
  },
};

describe('the decision table', () => {
  for (const [operation, row] of Object.entries(table)) {
    for (const [kind, expected] of Object.entries(row)) {
      it(`decides ${operation} on a record that is ${kind}`, () => {
        const { before, base } = stored[kind as StoredKind];
        const incoming = mutation({
          operation: operation as MutationLogEntry['operation'],
          baseVersion: base,
          ...(operation === 'delete' ? {} : { data: { title: 'mine' } }),
        });
        expect(decide({ mutation: incoming, stamp: stamp('A', 1, 9) }, before, { strategy: manual })).toEqual(expected);
      });
    }
  }
});

describe('the decision', () => {
  it('takes a create equal to the live record as applied, and writes nothing', () => {
    const incoming = mutation({ operation: 'create', data: { title: 'b', status: 'new' } });
    expect(decide({ mutation: incoming, stamp: stamp('A', 1) }, live, { strategy: manual })).toEqual({
      do: 'keep',
      droppedFields: [],
    });
  });
  it('finds nothing to update for who has seen the delete', () => {
    const incoming = mutation({ baseVersion: deleted.version, data: { title: 'mine' } });
    expect(decide({ mutation: incoming, stamp: stamp('A', 1) }, deleted, { strategy: manual })).toMatchObject({
      do: 'reject',
      code: 'NOT_FOUND',
    });
  });
});

describe('a foreign field', () => {
  const rules = { strategy: manual };
  it('is none when another field was written since', () => {
    const incoming = mutation({ baseVersion: 1, data: { status: 'done' } });
    expect(decide({ mutation: incoming, stamp: stamp('A', 1) }, live, rules)).toEqual(
      write('update', { status: 'done' }),
    );
  });
  it('is none when an earlier mutation of the same log wrote it', () => {
    const incoming = mutation({ baseVersion: 1, data: { title: 'c' } });
    expect(decide({ mutation: incoming, stamp: stamp('B', 3) }, live, rules)).toEqual(write('update', { title: 'c' }));
  });
  it('is none when both wrote the same value', () => {
    const incoming = mutation({ baseVersion: 1, data: { title: 'b' } });
    expect(decide({ mutation: incoming, stamp: stamp('A', 1) }, live, rules)).toEqual(write('update', { title: 'b' }));
  });
  it('may be named like a method of objects', () => {
    const before = recordAfter({ operation: 'create', data: { constructor: 'x', toString: 'y' }, by: stamp('B', 1) });
    const incoming = mutation({ data: { constructor: 'mine', valueOf: 1 } });
    expect(decide({ mutation: incoming, stamp: stamp('A', 1) }, before, rules)).toEqual(
      conflict('update-update', ['constructor']),
    );
  });
});

describe('an incarnation', () => {
  const reborn = recordAfter(
    { operation: 'create', data: { title: 'a', note: 'n' }, by: stamp('B', 1) },
    { operation: 'delete', by: stamp('B', 2) },
    { operation: 'create', data: { title: 'z' }, by: stamp('C', 1) },
  );
  it('refuses an update meant for an earlier one, also of a field it does not have', () => {
    const incoming = mutation({ baseVersion: 1, data: { note: 'mine' } });
    expect(decide({ mutation: incoming, stamp: stamp('A', 1) }, reborn, { strategy: lastWriteWins })).toEqual(
      conflict('stale-incarnation', ['note']),
    );
  });
  it('takes the update of who has seen it', () => {
    const incoming = mutation({ baseVersion: 3, data: { note: 'mine' } });
    expect(decide({ mutation: incoming, stamp: stamp('A', 1) }, reborn, {})).toEqual(write('update', { note: 'mine' }));
  });
  it('meets a create that knows none of them as any other record does', () => {
    const incoming = mutation({ operation: 'create', data: { title: 'mine' } });
    expect(decide({ mutation: incoming, stamp: stamp('A', 1) }, reborn, {})).toEqual(
      conflict('create-create', ['title']),
    );
  });
  it('takes the update of the log that created it', () => {
    const incoming = mutation({ baseVersion: 1, data: { note: 'mine' } });
    expect(decide({ mutation: incoming, stamp: stamp('C', 2) }, reborn, {})).toEqual(write('update', { note: 'mine' }));
  });
  it('continues the version of the one before', () => {
    expect([reborn.version, reborn.born]).toEqual([3, 3]);
  });
});

describe('what changes nothing', () => {
  const keep: Decision = { do: 'keep', droppedFields: [] };
  it('is a create equal to the live record, and no update: that is a later write of the same', () => {
    const same = { data: { title: 'b', status: 'new' }, baseVersion: 1 };
    const by = stamp('A', 1, 9);
    expect(decide({ mutation: mutation({ ...same, operation: 'create' }), stamp: by }, live, {})).toEqual(keep);
    expect(decide({ mutation: mutation(same), stamp: by }, live, {})).toEqual(write('update', same.data));
  });
  it('is an update of no field', () => {
    const incoming = mutation({ baseVersion: 2, data: {} });
    expect(decide({ mutation: incoming, stamp: stamp('A', 1) }, live, {})).toEqual(keep);
  });
});

describe('a deleted record', () => {
  const notFound = expect.objectContaining({ do: 'reject', code: 'NOT_FOUND' });
  it('is none to whoever knows that it is deleted', () => {
    const incoming = mutation({ baseVersion: deleted.version, data: { title: 'mine' } });
    expect(decide({ mutation: incoming, stamp: stamp('A', 1) }, deleted, {})).toEqual(notFound);
  });
  it('is none to the log that deleted it, whoever created it', () => {
    const before = recordAfter(
      { operation: 'create', data: { title: 'a' }, by: stamp('B', 1) },
      { operation: 'delete', by: stamp('A', 1) },
    );
    const incoming = mutation({ baseVersion: 1, data: { title: 'mine' } });
    expect(decide({ mutation: incoming, stamp: stamp('A', 2) }, before, {})).toEqual(notFound);
  });
});

describe('strategies at work', () => {
  const lateAndEarly = [stamp('A', 1, 9), stamp('A', 1, 1)];
  it.each([
    { what: 'lets the later of a delete and an edit it has not seen win', before: live, operation: 'delete' as const },
    { what: 'lets an earlier edit of a record deleted since go', before: deleted, operation: 'update' as const },
  ])('last-write-wins $what', ({ before, operation }) => {
    const incoming = mutation({
      operation,
      baseVersion: 1,
      ...(operation === 'update' ? { data: { title: 'x' } } : {}),
    });
    expect(
      lateAndEarly.map((by) => decide({ mutation: incoming, stamp: by }, before, { strategy: lastWriteWins })),
    ).toEqual([
      operation === 'delete' ? write('delete', {}) : conflict('update-delete', ['title']),
      { do: 'keep', droppedFields: ['title'] },
    ]);
  });
  it('last-write-wins takes the later field and drops the earlier, listing it', () => {
    const incoming = mutation({ baseVersion: 1, data: { title: 'mine', status: 'done' } });
    const rules = { strategy: lastWriteWins };
    expect(decide({ mutation: incoming, stamp: stamp('A', 1, 1) }, live, rules)).toEqual({
      ...write('update', { status: 'done' }),
      droppedFields: ['title'],
      altered: true,
    });
    expect(decide({ mutation: incoming, stamp: stamp('A', 1, 9) }, live, rules)).toMatchObject({
      data: { title: 'mine', status: 'done' },
      droppedFields: [],
    });
  });
  it('crdt keeps the server value of a conflicting field', () => {
    const incoming = mutation({ baseVersion: 1, data: { title: 'mine' } });
    expect(decide({ mutation: incoming, stamp: stamp('A', 1, 9) }, live, { strategy: crdt })).toEqual({
      do: 'keep',
      droppedFields: ['title'],
    });
  });
  it('a declared conflict field is a conflict, whoever is later', () => {
    const incoming = mutation({ baseVersion: 1, data: { title: 'mine' } });
    const rules = { strategy: lastWriteWins, conflictFields: ['title'] };
    expect(decide({ mutation: incoming, stamp: stamp('A', 1, 9) }, live, rules)).toEqual(
      conflict('update-update', ['title']),
    );
  });
  it('I8 names all that a mutation said where a strategy keeps the record', () => {
    const incoming = mutation({ baseVersion: 1, data: { title: 'mine', body: 'mine' } });
    const rules = { strategy: () => ({ do: 'keep' }) as const };
    expect(decide({ mutation: incoming, stamp: stamp('A', 1, 9) }, live, rules)).toEqual({
      do: 'keep',
      droppedFields: ['title', 'body'],
    });
  });
  it('a server without a strategy asks', () => {
    const incoming = mutation({ baseVersion: 1, data: { title: 'mine' } });
    expect(decide({ mutation: incoming, stamp: stamp('A', 1, 9) }, live, {})).toMatchObject({ do: 'conflict' });
  });
});

describe('what can be no honest mutation', () => {
  it('refuses a version from the future', () => {
    const incoming = mutation({ baseVersion: 99, data: { title: 'x' } });
    expect(decide({ mutation: incoming, stamp: stamp('A', 1) }, live, {})).toMatchObject({
      do: 'reject',
      code: 'INVALID',
    });
  });
  it('I3 refuses a mutation that a later one of its log has overtaken on this record', () => {
    const incoming = mutation({ baseVersion: 2, data: { status: 'x' } });
    expect(decide({ mutation: incoming, stamp: stamp('B', 1) }, live, {})).toMatchObject({
      do: 'reject',
      code: 'OUTCOME_EXPIRED',
    });
  });
});

describe('I3 what a later mutation of its log has overtaken', () => {
  it.each([
    {
      what: 'deleted the record',
      before: recordAfter(
        { operation: 'create', data: { title: 'a' }, by: stamp('A', 1) },
        { operation: 'delete', by: stamp('B', 5) },
      ),
    },
    {
      what: 'created it, although others have written all its fields since',
      before: recordAfter(
        { operation: 'create', data: { title: 'a' }, by: stamp('B', 5) },
        { operation: 'update', data: { title: 'b' }, by: stamp('A', 1) },
      ),
    },
  ])('is refused where that one $what', ({ before }) => {
    const incoming = mutation({ baseVersion: 1, data: { title: 'x' } });
    expect(decide({ mutation: incoming, stamp: stamp('B', 4) }, before, {})).toMatchObject({ code: 'OUTCOME_EXPIRED' });
  });
});

describe('I7 a client alone', () => {
  it('never meets a conflict, whatever it does and however old its bases are', () => {
    const step = fc.record({
      operation: fc.constantFrom('create' as const, 'update' as const, 'delete' as const),
      data: fc.dictionary(fc.constantFrom('a', 'b', 'constructor'), fc.integer({ min: 0, max: 2 }), { maxKeys: 3 }),
      age: fc.nat(5),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        let state: RecordState | undefined;
        steps.forEach(({ operation, data, age }, index) => {
          const base = state ? Math.max(0, state.version - age) : 0;
          const by = stamp('A', index + 1);
          const incoming = mutation({
            operation,
            baseVersion: base,
            sequence: index + 1,
            ...(operation === 'delete' ? {} : { data }),
          });
          const decision = decide({ mutation: incoming, stamp: by }, state, { strategy: manual });
          expect(decision.do).not.toBe('conflict');
          if (decision.do === 'write') {
            const next = writeRecord(state, { ...task, ...decision, stamp: by, changedAt: 0, origin: null }, 0);
            expect(next.version).toBe((state?.version ?? 0) + 1);
            state = next;
          }
        });
      }),
    );
  });
});
