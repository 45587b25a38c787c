/** One mutant for each rule that keeps sync sound: the simulation must notice when the rule is gone. */
import type { Loaded, StoredRecord } from '@objectql/protocol-sync';
import type { SyncPushResponse } from '@objectql/sync-types';
import { readPlace } from './invariants/checkpoint.js';
import type { Mutant } from './mutant.js';
import type { Invariant } from './violation.js';

/** A mutant and what may notice it. */
export interface ExpectedMutant extends Mutant {
  readonly breaks: readonly [Invariant, ...Invariant[]];
  /** A seed between 1 and 1,000 that notices it. */
  readonly hint: number;
}

/** All of them, the simulation's own test. */
export const MUTANTS: readonly ExpectedMutant[] = [
  {
    name: 'the ledger forgets every outcome at once',
    breaks: ['I2', 'I3', 'I7'],
    hint: 1,
    loaded: (loaded) => ({ ...loaded, ledger: [] }),
    saved: ({ ledger, ...request }) => request,
  },
  {
    name: 'a log has no floor',
    breaks: ['I2', 'I3'],
    hint: 20,
    loaded: ({ log, ...loaded }) => ({ ...loaded, log: log && { ...log, floor: 0 } }),
  },
  {
    name: 'a log does not know its own writes',
    breaks: ['I7', 'I3'],
    hint: 59,
    loaded: (loaded) => withRecords(loaded, (record) => ({ ...record, ...withStamps(record, { logId: 'nobody' }) })),
  },
  {
    name: 'a record does not know where its incarnation began',
    breaks: ['I8'],
    hint: 1,
    loaded: (loaded) => withRecords(loaded, (record) => ({ ...record, born: 1 })),
  },
  {
    name: 'the checkpoint is the head of the feed, not the last record scanned',
    breaks: ['I6'],
    hint: 1,
    answer: (answer, { head }) => withPlace(answer, head),
  },
  {
    name: 'no checkpoint is ever too old',
    breaks: ['I9', 'I4'],
    hint: 143,
    loaded: (loaded) => ({ ...loaded, facts: { ...loaded.facts, floor: 0 } }),
    page: (page) => ({ ...page, facts: { ...page.facts, floor: 0 } }),
  },
  {
    name: 'a restored server keeps its epoch',
    breaks: ['I4', 'I6', 'I13', 'I9'],
    hint: 5,
    isKeepingEpoch: true,
    request: (request, { head }) => {
      const at = readPlace(request.lastCheckpoint);
      if (!at || at.place <= head) return request;
      return { ...request, lastCheckpoint: `2.${at.epoch}.${head}.${at.since}.${at.scope}` };
    },
  },
  {
    name: 'results never show the record',
    breaks: ['I4', 'I6'],
    hint: 1,
    answer: (answer) => ({
      ...answer,
      results: answer.results.map((result) => {
        if (result.status !== 'applied') return result;
        const { record, ...rest } = result;
        return rest;
      }),
    }),
  },
  {
    name: 'a mutation passes an earlier one of its record that waits',
    breaks: ['I3', 'I7'],
    hint: 27,
    isSplitting: true,
  },
  {
    name: 'the mutations of a push are applied in another order',
    breaks: ['I3', 'I7'],
    hint: 44,
    request: (request) => (request.mutations ? { ...request, mutations: [...request.mutations].reverse() } : request),
    answer: (answer) => ({ ...answer, results: [...answer.results].reverse() }),
  },
  {
    name: 'versions begin anew when a tombstone is gone',
    breaks: ['I5'],
    hint: 143,
    loaded: (loaded) => ({ ...loaded, facts: { ...loaded.facts, versionFloor: 0 } }),
  },
  {
    name: 'a walk drops nothing at its end',
    breaks: ['I4'],
    hint: 5,
    batch: ({ sweepWalk, ...batch }) => batch,
  },
  {
    name: 'a refused mutation is in no list',
    breaks: ['I1'],
    hint: 1,
    batch: ({ putDeadLetters, ...batch }) => batch,
  },
];

type Stamped = Pick<StoredRecord, 'writes' | 'bornBy' | 'deleted' | 'run'>;

function withStamps(record: StoredRecord, change: { readonly logId: string }): Stamped {
  const { writes, bornBy, deleted, run } = record;
  return {
    writes: Object.fromEntries(Object.entries(writes).map(([version, stamp]) => [version, { ...stamp, ...change }])),
    bornBy: { ...bornBy, ...change },
    deleted: deleted && { ...deleted, ...change },
    run,
  };
}

function withRecords(loaded: Loaded, change: (record: StoredRecord) => StoredRecord): Loaded {
  return { ...loaded, records: loaded.records.map(change) };
}

function withPlace(answer: SyncPushResponse, place: number): SyncPushResponse {
  const at = readPlace(answer.checkpoint);
  return at ? { ...answer, checkpoint: `2.${at.epoch}.${place}.${at.since}.${at.scope}` } : answer;
}
