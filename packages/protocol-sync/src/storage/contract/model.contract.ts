/** The law of every store: after any history it tells the same as a model that is too simple to be wrong. */
import { recordKey } from '@objectql/sync-types';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LedgerRow, LogRow, PageQuery, PruneSlice, RecordState, StoreFacts, SyncStore } from '../sync-store.js';
import type { OpenStore } from './store-fixture.js';
import { told as asTold, loadRequestOf, sampleRow, save } from './store-samples.js';
import { withStore } from './store-tests.contract.js';

/** Declares the law for one implementation, checked on `runs` random histories; needs `fast-check`. */
export function storeModelContract(name: string, open: OpenStore, runs = 100): void {
  describe(`${name} as a sync store`, () => {
    it('tells after any history what a model of it tells', async () => {
      const histories = fc.array(stepArbitrary, { minLength: 1, maxLength: 15 });
      await fc.assert(
        fc.asyncProperty(histories, (steps) =>
          withStore(open, async ({ store }) => {
            const model = new Model((await store.page({ after: 0, limit: 1 })).facts.epoch);
            for (const step of steps) await take(step, store, model);
          }),
        ),
        { numRuns: runs },
      );
    });
  });
}

type Step =
  | {
      readonly do: 'save';
      readonly records: readonly RecordState[];
      readonly rows: readonly LedgerRow[];
      readonly log: LogRow;
    }
  | { readonly do: 'roll back'; readonly records: readonly RecordState[] }
  | { readonly do: 'prune'; readonly slice: PruneSlice }
  | { readonly do: 'page'; readonly query: PageQuery }
  | { readonly do: 'change epoch' };

async function take(step: Step, store: SyncStore, model: Model): Promise<void> {
  switch (step.do) {
    case 'save': {
      const rows = step.rows.filter((row) => !model.isTaken(row));
      await save(store, { records: step.records, ledger: rows, log: step.log });
      model.save(step.records, rows, step.log);
      break;
    }
    case 'roll back':
      await rollBack(store, step.records);
      break;
    case 'prune':
      expect(await store.prune(step.slice)).toEqual({ removed: model.prune(step.slice) });
      break;
    case 'page':
      expect(await store.page(step.query)).toEqual(model.page(step.query));
      break;
    case 'change epoch':
      model.facts = { ...model.facts, epoch: await store.changeEpoch() };
  }
  expect(await told(store)).toEqual(model.told());
}

async function rollBack(store: SyncStore, records: readonly RecordState[]): Promise<void> {
  const work = store.transaction(async (transaction) => {
    await transaction.load(loadRequestOf({ records }));
    await transaction.save({ records });
    throw new Error('rolled back');
  });
  await expect(work).rejects.toThrow('rolled back');
}

/** Everything a store tells of what the histories are about. */
async function told(store: SyncStore) {
  const logs = await Promise.all(
    LOG_IDS.map((logId) =>
      store.transaction((transaction) =>
        transaction.load({ records: REFS, mutationIds: MUTATION_IDS, log: { logId, sequences: SEQUENCES } }),
      ),
    ),
  );
  const { facts, records } = await store.page({ after: 0, limit: 1000 });
  return {
    facts,
    records,
    logs: logs.map((loaded) => ({
      facts: loaded.facts,
      records: loaded.records.toSorted((a, b) => a.place - b.place),
      ledger: sortedRows(loaded.ledger),
      log: loaded.log,
      intents: loaded.intents,
    })),
  };
}

/** A store as lists that are looked through from end to end. */
class Model {
  facts: StoreFacts;
  #records: readonly (RecordState & { readonly place: number })[] = [];
  #rows: readonly LedgerRow[] = [];
  #logs: readonly LogRow[] = [];

  constructor(epoch: string) {
    this.facts = { epoch, head: 0, floor: 0, versionFloor: 0 };
  }

  isTaken({ mutationId, logId, sequence }: LedgerRow): boolean {
    return this.#rows.some(
      (row) => row.mutationId === mutationId || (logId !== null && row.logId === logId && row.sequence === sequence),
    );
  }

  save(records: readonly RecordState[], rows: readonly LedgerRow[], log: LogRow): void {
    for (const state of records) {
      const place = this.facts.head + 1;
      this.#records = [
        ...this.#records.filter((record) => recordKey(record) !== recordKey(state)),
        { ...state, place },
      ];
      this.facts = { ...this.facts, head: place };
    }
    this.#rows = [...this.#rows, ...rows];
    const before = this.#logs.find(({ logId }) => logId === log.logId) ?? log;
    const after = {
      ...before,
      floor: Math.max(before.floor, log.floor),
      lastTime: Math.max(before.lastTime, log.lastTime),
    };
    this.#logs = [...this.#logs.filter(({ logId }) => logId !== log.logId), after];
  }

  prune({ before, limit }: PruneSlice): number {
    const tombstones = this.#records
      .filter(({ data, changedAt }) => data === null && changedAt < before)
      .toSorted((a, b) => a.changedAt - b.changedAt)
      .slice(0, limit);
    const rows = this.#rows
      .filter(({ at }) => at < before)
      .toSorted((a, b) => a.at - b.at)
      .slice(0, limit);
    this.#records = this.#records.filter((record) => !tombstones.includes(record));
    this.#rows = this.#rows.filter((row) => !rows.includes(row));
    this.facts = {
      ...this.facts,
      floor: Math.max(this.facts.floor, ...tombstones.map(({ place }) => place)),
      versionFloor: Math.max(this.facts.versionFloor, ...tombstones.map(({ version }) => version)),
    };
    this.#logs = this.#logs.map((log) => {
      const forgotten = rows.filter(({ logId }) => logId === log.logId).map(({ sequence }) => sequence);
      return { ...log, floor: Math.max(log.floor, ...forgotten) };
    });
    return tombstones.length + rows.length;
  }

  page({ after, limit, objects }: PageQuery) {
    const records = this.#records
      .filter(({ place, objectName }) => place > after && (objects?.includes(objectName) ?? true))
      .slice(0, limit);
    return { facts: this.facts, records: records.map((record) => asTold(record, record.place)) };
  }

  told() {
    const records = this.#records;
    return {
      facts: this.facts,
      records: records.map((record) => asTold(record, record.place)),
      logs: LOG_IDS.map((logId) => ({
        facts: this.facts,
        records,
        ledger: sortedRows(this.#rows),
        log: this.#logs.find((log) => log.logId === logId),
        intents: [],
      })),
    };
  }
}

function sortedRows(rows: readonly LedgerRow[]): readonly LedgerRow[] {
  return rows.toSorted((a, b) => (a.mutationId < b.mutationId ? -1 : 1));
}

const OBJECT_NAMES = ['task', 'project', 'constructor'];
const RECORD_IDS = [1, '1', 'ü:"'];
const REFS = OBJECT_NAMES.flatMap((objectName) => RECORD_IDS.map((recordId) => ({ objectName, recordId })));
const LOG_IDS = ['log-1', 'log-2'];
const MUTATION_IDS = ['a', 'b', 'c', 'd', 'e', '1'];
const SEQUENCES = [1, 2, 3, 4];

const counterArbitrary = fc.nat({ max: 9 });
/** Unbiased, so that hardly two are equal and everybody means the same by the oldest. */
const timeArbitrary = fc.noBias(fc.integer({ min: 0, max: 1_000_000_000 }));
const stampArbitrary = fc.record({
  time: fc.integer({ min: -1, max: 2 ** 53 - 1 }),
  logId: fc.constantFrom(...LOG_IDS, 'constructor'),
  sequence: counterArbitrary,
});
const fieldArbitrary = fc.constantFrom('title', 'constructor', 'toString', '0', '', 'ü"\\');

/** Any state a record may have, sensible or not. */
export const stateArbitrary: fc.Arbitrary<RecordState> = fc.record({
  objectName: fc.constantFrom(...OBJECT_NAMES),
  recordId: fc.constantFrom(...RECORD_IDS),
  version: counterArbitrary,
  born: counterArbitrary,
  bornBy: stampArbitrary,
  data: fc.option(
    fc.dictionary(fieldArbitrary, fc.constantFrom(null, 'text "ü𝄞"', 0.1, true, [1, { deep: [] }]), {
      noNullPrototype: true,
    }),
  ),
  deleted: fc.option(stampArbitrary),
  writes: fc.array(
    fc.record({
      version: counterArbitrary,
      stamp: stampArbitrary,
      fields: fc.option(fc.uniqueArray(fieldArbitrary)),
    }),
    { maxLength: 4 },
  ),
  run: fc.record({ logId: fc.constantFrom(...LOG_IDS), from: counterArbitrary }),
  changedAt: timeArbitrary,
  origin: fc.option(
    fc.record({
      logId: fc.constantFrom(...LOG_IDS),
      mutationId: fc.constantFrom(...MUTATION_IDS),
      sequence: counterArbitrary,
    }),
  ),
});

const recordsArbitrary = fc.uniqueArray(stateArbitrary, { selector: recordKey, maxLength: 5 });

const rowArbitrary = fc
  .record({
    mutationId: fc.constantFrom(...MUTATION_IDS),
    logId: fc.option(fc.constantFrom(...LOG_IDS)),
    sequence: fc.constantFrom(...SEQUENCES),
    at: timeArbitrary,
  })
  .map(({ mutationId, ...changed }) => sampleRow(mutationId, changed));

/** No two rows of one save exclude each other. */
const rowsArbitrary = fc.uniqueArray(rowArbitrary, {
  maxLength: 3,
  comparator: (a, b) => a.mutationId === b.mutationId || (a.logId === b.logId && a.sequence === b.sequence),
});

const logArbitrary: fc.Arbitrary<LogRow> = fc.record({
  logId: fc.constantFrom(...LOG_IDS),
  principal: fc.constantFrom('ada', null),
  floor: fc.nat({ max: 5 }),
  lastTime: timeArbitrary,
});

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('save' as const),
      records: recordsArbitrary,
      rows: rowsArbitrary,
      log: logArbitrary,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('roll back' as const), records: recordsArbitrary }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('prune' as const),
      slice: fc.record({ before: timeArbitrary, limit: fc.integer({ min: 1, max: 4 }) }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('page' as const),
      query: fc.record({
        after: fc.nat({ max: 30 }),
        limit: fc.integer({ min: 1, max: 6 }),
        objects: fc.option(fc.subarray([...OBJECT_NAMES, 'absent']), { nil: undefined }),
      }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('change epoch' as const) }) },
);
