/** Rules of what the server remembers, switched off one at a time. */
import type { Loaded, StoredRecord, StoreFacts } from '@objectql/protocol-sync';
import type { ExpectedMutant } from './mutant.js';

/** The mutants of what the server reads from its store and saves in it. */
export const STORE_MUTANTS: readonly ExpectedMutant[] = [
  {
    name: 'the ledger forgets every outcome at once',
    breaks: 'I2',
    hint: 1,
    loaded: (loaded) => ({ ...loaded, ledger: [] }),
    saved: ({ ledger, ...request }) => request,
  },
  {
    name: 'a log has no floor',
    breaks: 'I2',
    hint: 12,
    loaded: ({ log, ...loaded }) => ({ ...loaded, log: log && { ...log, floor: 0 } }),
  },
  {
    name: 'a log does not know its own writes',
    breaks: 'I7',
    hint: 44,
    loaded: (loaded) => withRecords(loaded, (record) => ({ ...record, ...withStamps(record, { logId: 'nobody' }) })),
  },
  {
    name: 'a record does not know where its incarnation began',
    breaks: 'I8',
    hint: 1,
    loaded: (loaded) => withRecords(loaded, (record) => ({ ...record, born: 1 })),
  },
  {
    name: 'no checkpoint is ever too old',
    breaks: 'I9',
    hint: 12,
    loaded: (loaded) => ({ ...loaded, facts: { ...loaded.facts, floor: 0 } }),
    page: (page) => ({ ...page, facts: { ...page.facts, floor: 0 } }),
  },
  {
    name: 'a restored server goes on in the epoch of its backup',
    breaks: 'I6',
    hint: 96,
    isCarryingOn: true,
  },
  {
    name: 'an epoch that was begun has no end',
    breaks: 'I9',
    hint: 5,
    loaded: ({ facts, ...loaded }) => ({ ...loaded, facts: withoutEnd(facts) }),
    page: ({ facts, ...page }) => ({ ...page, facts: withoutEnd(facts) }),
  },
  {
    name: 'a server that was started again takes itself for a restored one',
    breaks: 'I9',
    hint: 1,
    loaded: ({ facts, ...loaded }) => ({ ...loaded, facts: withoutPast(facts) }),
    page: ({ facts, ...page }) => ({ ...page, facts: withoutPast(facts) }),
  },
  {
    name: 'versions begin anew when a tombstone is gone',
    breaks: 'I5',
    hint: 12,
    loaded: (loaded) => ({ ...loaded, facts: { ...loaded.facts, versionFloor: 0 } }),
  },
  {
    name: 'a clone goes on in the log of its original',
    breaks: 'I2',
    hint: 'kept',
    loaded: (loaded, { mutationIds }) => ({
      ...loaded,
      ledger: loaded.ledger.filter(({ mutationId }) => mutationIds.includes(mutationId)),
    }),
    saved: ({ ledger = [], ...request }) => ({ ...request, ledger: ledger.map((row) => ({ ...row, logId: null })) }),
  },
  {
    name: 'the times of a log may go back',
    breaks: 'I10',
    hint: 1,
    loaded: ({ log, ...loaded }) => ({ ...loaded, log: log && { ...log, lastTime: 0 } }),
  },
  {
    name: 'a write that was announced is not looked for after a crash',
    breaks: 'I13',
    hint: 18,
    loaded: (loaded) => ({ ...loaded, intents: [] }),
  },
  {
    name: 'no field is ever somebody else’s',
    breaks: 'I8',
    hint: 1,
    loaded: (loaded) => withRecords(loaded, (record) => ({ ...record, writes: [] })),
  },
  {
    name: 'deletes are not told',
    breaks: 'I6',
    hint: 1,
    page: (page) => ({ ...page, records: page.records.filter(({ data }) => data !== null) }),
  },
  {
    name: 'the ledger remembers only what was applied',
    breaks: 'I2',
    hint: 1,
    saved: ({ ledger = [], ...request }) => ({
      ...request,
      ledger: ledger.filter(({ outcome }) => outcome.status === 'applied'),
    }),
  },
  {
    name: 'what a repeated mutation had lost is told the first time only',
    breaks: 'I8',
    hint: 20,
    loaded: (loaded) => ({
      ...loaded,
      ledger: loaded.ledger.map((row) =>
        row.outcome.status === 'applied' ? { ...row, outcome: { ...row.outcome, droppedFields: [] } } : row,
      ),
    }),
  },
  {
    name: 'each server process knows its own outcomes only',
    breaks: 'I2',
    hint: 1,
    loaded: (loaded, { mutationIds }, own) => ({ ...loaded, ledger: mutationIds.flatMap((id) => own.get(id) ?? []) }),
    saved: ({ ledger, ...request }) => request,
  },
];

type Stamped = Pick<StoredRecord, 'writes' | 'bornBy' | 'deleted' | 'run'>;

function withStamps(record: StoredRecord, change: { readonly logId: string }): Stamped {
  const { writes, bornBy, deleted, run } = record;
  return {
    writes: writes.map((write) => ({ ...write, stamp: { ...write.stamp, ...change } })),
    bornBy: { ...bornBy, ...change },
    deleted: deleted && { ...deleted, ...change },
    run,
  };
}

function withRecords(loaded: Loaded, change: (record: StoredRecord) => StoredRecord): Loaded {
  return { ...loaded, records: loaded.records.map(change) };
}

function withoutPast({ reach, ...facts }: StoreFacts): StoreFacts {
  return reach === facts.head ? { ...facts, reach } : facts;
}

function withoutEnd({ reach, ...facts }: StoreFacts): StoreFacts {
  return reach === undefined ? facts : { ...facts, reach: Number.POSITIVE_INFINITY };
}
