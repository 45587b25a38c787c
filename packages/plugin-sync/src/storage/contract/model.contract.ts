/** The law of every storage: after any history it answers like a model that is too simple to be wrong. */
import type { RecordRef } from '@objectql/sync-types';
import { findJsonProblem, MAX_JSON_DEPTH, recordKey } from '@objectql/sync-types';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { BaseRecord, ClientState, ClientStorage, StorageBatch } from '../client-storage.js';
import { type StorageFixture, type StorageSession, withStorage } from './storage-fixture.js';
import { sampleConflict, sampleDeadLetter, sampleEntry, sampleMeta, sampleRecord } from './storage-samples.js';

/** Declares the law for one implementation, beside `storageContract`; needs vitest and `fast-check`. */
export function storageModelContract(name: string, fixture: StorageFixture, runs = 100): void {
  it(`${name} tells after any history what a model of it tells`, async () => {
    const history = fc.array(stepArbitrary, { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(history, (steps) =>
        withStorage(fixture, async (session) => {
          let model: Model = { state: { meta: null, entries: [], conflicts: [], deadLetters: [] }, records: [] };
          for (const step of steps) model = await take(session, step, model);
        }),
      ),
      { numRuns: runs },
    );
  });
}

interface Model {
  readonly state: ClientState;
  readonly records: readonly BaseRecord[];
}

type Step = { readonly do: 'reopen' } | { readonly do: 'commit'; readonly batches: readonly StorageBatch[] };

async function take(session: StorageSession, step: Step, model: Model): Promise<Model> {
  if (step.do === 'reopen') {
    await session.reopen();
  } else {
    const refusals: boolean[] = [];
    for (const batch of step.batches) {
      const isRefused =
        'expectCheckpoint' in batch && batch.expectCheckpoint !== (model.state.meta?.checkpoint ?? null);
      refusals.push(isRefused);
      if (!isRefused) model = applied(model, batch);
    }
    const outcomes = await Promise.allSettled(step.batches.map((batch) => session.storage.commit(batch)));
    expect(outcomes.map((outcome) => outcome.status === 'rejected')).toEqual(refusals);
  }
  expect(await told(session.storage)).toEqual(expected(model));
  return model;
}

/** Everything a storage tells about the records of the histories. */
async function told(storage: ClientStorage): Promise<unknown> {
  const lists = await Promise.all(OBJECTS.map((objectName) => storage.listRecords(objectName)));
  return {
    state: await storage.load(),
    records: await storage.getRecords(REFS),
    lists: lists.map((list) => list.map(recordKey).sort()),
  };
}

function expected({ state, records }: Model): unknown {
  const { meta, entries, conflicts, deadLetters } = state;
  return {
    state: {
      meta,
      entries: [...entries].sort((a, b) => a.mutation.sequence - b.mutation.sequence),
      conflicts: [...conflicts].sort((a, b) => a.parkedAt - b.parkedAt),
      deadLetters: [...deadLetters].sort((a, b) => a.deadAt - b.deadAt),
    },
    records: REFS.map((ref) => records.find((record) => recordKey(record) === recordKey(ref))),
    lists: OBJECTS.map((name) =>
      records
        .filter((record) => record.objectName === name)
        .map(recordKey)
        .sort(),
    ),
  };
}

function applied({ state, records }: Model, batch: StorageBatch): Model {
  const after = changed(records, {
    keyOf: recordKey,
    removed: (batch.removeRecords ?? []).map(recordKey),
    put: batch.putRecords,
  });
  return {
    state: {
      meta: batch.meta ?? state.meta,
      entries: changed(state.entries, {
        keyOf: (entry) => entry.mutation.id,
        removed: batch.removeEntries,
        put: batch.putEntries,
      }),
      conflicts: changed(state.conflicts, {
        keyOf: (one) => one.id,
        removed: batch.removeConflicts,
        put: batch.putConflicts,
      }),
      deadLetters: changed(state.deadLetters, {
        keyOf: (one) => one.id,
        removed: batch.removeDeadLetters,
        put: batch.putDeadLetters,
      }),
    },
    records: batch.sweepWalk === undefined ? after : after.filter((record) => record.walk === batch.sweepWalk),
  };
}

interface Change<T> {
  readonly keyOf: (value: T) => string;
  readonly removed: readonly string[] | undefined;
  readonly put: readonly T[] | undefined;
}

function changed<T>(values: readonly T[], { keyOf, removed = [], put = [] }: Change<T>): readonly T[] {
  const kept = values.filter((value) => !removed.includes(keyOf(value)));
  return put.reduce<readonly T[]>(
    (all, value) => [...all.filter((other) => keyOf(other) !== keyOf(value)), value],
    kept,
  );
}

const OBJECTS = ['task', 'constructor', 'a:b', 'ü"𝄞'];
const REFS: readonly RecordRef[] = OBJECTS.flatMap((objectName) =>
  [1, '1', ':', "it's", '日本'].map((recordId) => ({ objectName, recordId })),
);
/** Sequences and times follow from the id, so that no two differ in order by chance. */
const IDS = ['m-1', 'm-2', 'm-3', 'm-4', 'm-5'];
const placeOf = (id: string) => IDS.indexOf(id) * 7 + 1;

const dataArbitrary = fc
  .dictionary(
    fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('constructor', 'toString', 'a.b', '0', '', 'ü')),
    fc.jsonValue({ maxDepth: 2 }),
    { maxKeys: 4 },
  )
  .map((data) => JSON.parse(JSON.stringify(data)))
  .filter((data) => findJsonProblem(data, { maxDepth: MAX_JSON_DEPTH }) === undefined);

const idArbitrary = fc.constantFrom(...IDS);
const idsArbitrary = fc.array(idArbitrary, { maxLength: 3 });
const refArbitrary = fc.constantFrom(...REFS);
const walkArbitrary = fc.constantFrom('w1', 'w2');
const checkpointArbitrary = fc.constantFrom(null, 'c1', 'c2');

const recordArbitrary = fc
  .record({
    ref: refArbitrary,
    version: fc.nat(),
    data: dataArbitrary,
    walk: fc.option(walkArbitrary),
  })
  .map(({ ref, ...rest }) => sampleRecord({ ...ref, ...rest }));

const batchArbitrary: fc.Arbitrary<StorageBatch> = fc.record(
  {
    expectCheckpoint: checkpointArbitrary,
    meta: fc.record({ checkpoint: checkpointArbitrary, nextSequence: fc.nat() }).map(sampleMeta),
    putEntries: fc.array(
      fc.tuple(idArbitrary, fc.nat(9)).map(([id, tries]) => ({ ...sampleEntry(id, placeOf(id)), tries })),
      { maxLength: 3 },
    ),
    removeEntries: idsArbitrary,
    putRecords: fc.array(recordArbitrary, { maxLength: 5 }),
    removeRecords: fc.array(refArbitrary, { maxLength: 3 }),
    sweepWalk: walkArbitrary,
    putConflicts: idsArbitrary.map((ids) => ids.map((id) => sampleConflict(id, placeOf(id)))),
    removeConflicts: idsArbitrary,
    putDeadLetters: idsArbitrary.map((ids) => ids.map((id) => sampleDeadLetter(id, placeOf(id)))),
    removeDeadLetters: idsArbitrary,
  },
  { requiredKeys: [] },
);

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
  {
    weight: 4,
    arbitrary: fc
      .array(batchArbitrary, { minLength: 1, maxLength: 3 })
      .map((batches) => ({ do: 'commit' as const, batches })),
  },
);
