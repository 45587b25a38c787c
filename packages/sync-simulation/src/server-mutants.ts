/** Rules of the server and of the wire, switched off one at a time. */
import {
  type Authorize,
  type Loaded,
  type ReadPermission,
  type StoredRecord,
  type StoreFacts,
  storeResolver,
} from '@objectql/protocol-sync';
import type { SyncMutationResult, SyncPushResponse } from '@objectql/sync-types';
import { readPlace } from './invariants/checkpoint.js';
import type { ExpectedMutant } from './mutant.js';

/** The mutants of what the server reads, saves, asks and answers. */
export const SERVER_MUTANTS: readonly ExpectedMutant[] = [
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
    name: 'a mutation does not know the log that its device has left',
    breaks: 'I2',
    hint: 'kept',
    request: (request) =>
      request.mutations
        ? { ...request, mutations: request.mutations.map(({ firstLogId, ...mutation }) => mutation) }
        : request,
  },
  {
    name: 'where an answer ends is told ahead of mutations that have to wait',
    breaks: 'I3',
    hint: 15,
    isAnnounced: ({ results }) => results.length > 0,
  },
  {
    name: 'a log does not know its own writes',
    breaks: 'I7',
    hint: 59,
    loaded: (loaded) => withRecords(loaded, (record) => ({ ...record, ...withStamps(record, { logId: 'nobody' }) })),
  },
  {
    name: 'a record does not know where its incarnation began',
    breaks: 'I8',
    hint: 1,
    loaded: (loaded) => withRecords(loaded, (record) => ({ ...record, born: 1 })),
  },
  {
    name: 'the checkpoint is the head of the feed, not the last record scanned',
    breaks: 'I6',
    hint: 1,
    answer: (answer, { head }) => withPlace(answer, head),
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
    name: 'a checkpoint tells only what was scanned',
    breaks: 'I6',
    hint: 1,
    answer: (answer) => ({ ...answer, checkpoint: answer.checkpoint.split('.').slice(0, 5).join('.') }),
  },
  {
    name: 'results never show the record',
    breaks: 'I4',
    hint: 5,
    answer: (answer) => withApplied(answer, ({ record, ...rest }) => rest),
  },
  {
    name: 'a mutation passes an earlier one of its record that waits',
    breaks: 'I3',
    hint: 12,
    isSplitting: true,
  },
  {
    name: 'the mutations of a push are applied in another order',
    breaks: 'I3',
    hint: 3,
    request: (request) => (request.mutations ? { ...request, mutations: [...request.mutations].reverse() } : request),
    answer: (answer) => ({ ...answer, results: [...answer.results].reverse() }),
  },
  {
    name: 'versions begin anew when a tombstone is gone',
    breaks: 'I5',
    hint: 12,
    loaded: (loaded) => ({ ...loaded, facts: { ...loaded.facts, versionFloor: 0 } }),
  },
  {
    name: 'a clone goes on in the log of its original',
    breaks: 'I8',
    hint: 13082,
    loaded: (loaded, { mutationIds }) => ({
      ...loaded,
      ledger: loaded.ledger.filter(({ mutationId }) => mutationIds.includes(mutationId)),
    }),
    saved: ({ ledger = [], ...request }) => ({ ...request, ledger: ledger.map((row) => ({ ...row, logId: null })) }),
  },
  {
    name: 'anybody may send anybody’s log',
    breaks: 'I12',
    hint: 22,
    principal: (user, { logId }, { ownerByLog }) => ownerByLog.get(logId ?? '') ?? user,
  },
  {
    name: 'the clock of a device is believed',
    breaks: 'I10',
    hint: 6,
    request: ({ sentAt, ...request }) => request,
  },
  {
    name: 'a write may claim a time yet to come',
    breaks: 'I10',
    hint: 1,
    serverAheadMs: 10 * 86_400_000,
  },
  {
    name: 'the times of a log may go back',
    breaks: 'I10',
    hint: 1,
    loaded: ({ log, ...loaded }) => ({ ...loaded, log: log && { ...log, lastTime: 0 } }),
  },
  {
    name: 'nothing is hidden from anybody',
    breaks: 'I12',
    hint: 1,
    authorize: ({ read, ...authorize }) => authorize,
  },
  {
    name: 'a change of rights begins no walk',
    breaks: 'I4',
    hint: 28,
    authorize: ({ scope, ...authorize }) => authorize,
  },
  {
    name: 'fields that lost are not reported',
    breaks: 'I8',
    hint: 5,
    answer: (answer) => withApplied(answer, ({ droppedFields, ...rest }) => rest),
  },
  {
    name: 'a write that was announced is not looked for after a crash',
    breaks: 'I13',
    hint: 87,
    loaded: (loaded) => ({ ...loaded, intents: [] }),
  },
  {
    name: 'writes past sync are not told to it',
    breaks: 'I11',
    hint: 3,
    isBlindToOthers: true,
  },
  {
    name: 'no field is ever somebody else’s',
    breaks: 'I8',
    hint: 1,
    loaded: (loaded) => withRecords(loaded, (record) => ({ ...record, writes: [] })),
  },
  {
    name: 'an answer keeps one change of a page and passes all',
    breaks: 'I6',
    hint: 1,
    answer: (answer) => ({ ...answer, serverChanges: answer.serverChanges.slice(0, 1) }),
  },
  {
    name: 'deletes are not told',
    breaks: 'I6',
    hint: 1,
    page: (page) => ({ ...page, records: page.records.filter(({ data }) => data !== null) }),
  },
  {
    name: 'versions from before a restore still count',
    breaks: 'I13',
    hint: 5,
    answer: (answer) => (answer.reset === 'epoch' ? { ...answer, reset: 'expired' } : answer),
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
    name: 'a result is taken for that of the mutation before it',
    breaks: 'I1',
    hint: 1,
    answer: (answer) => ({ ...answer, results: rotated(answer.results) }),
  },
  {
    name: 'a mutation under a used id is answered as the one that had it first',
    breaks: 'I1',
    hint: 8,
    answer: (answer, { everApplied }) => ({
      ...answer,
      results: answer.results.map((result) => {
        const serverVersion = everApplied.get(result.mutationId ?? '');
        if (result.status !== 'rejected' || result.code !== 'ID_REUSED' || serverVersion === undefined) return result;
        return { status: 'applied', serverVersion, duplicate: true, mutationId: result.mutationId };
      }),
    }),
  },
  {
    name: 'anybody may make any change',
    breaks: 'I12',
    hint: 1,
    authorize: ({ write, ...authorize }) => authorize,
  },
  {
    name: 'hidden fields are shown',
    breaks: 'I12',
    hint: 12,
    authorize: (authorize) =>
      withRead(authorize, (permission) => (typeof permission === 'object' ? 'allow' : permission)),
  },
  {
    name: 'whoever may not read a record any more is not told',
    breaks: 'I4',
    hint: 1,
    authorize: (authorize) => withRead(authorize, (permission) => (permission === 'forget' ? 'hide' : permission)),
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
  {
    name: 'what the application stored is not what is sent to others',
    breaks: 'I11',
    hint: 2,
    resolver: (resolver) =>
      resolver === storeResolver
        ? resolver
        : {
            ...resolver,
            applyMutation: async (...call) => {
              await resolver.applyMutation(...call);
              return undefined;
            },
          },
  },
  {
    name: 'the server lets the later one win where the user decides',
    breaks: 'I8',
    hint: 1,
    config: (config) => (config.strategy ? { ...config, strategy: 'last-write-wins' } : config),
  },
  {
    name: 'declared conflict fields are decided like all others',
    breaks: 'I8',
    hint: 1,
    config: ({ conflict_fields, ...config }) => config,
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

type Applied = Extract<SyncMutationResult, { readonly status: 'applied' }>;

function withApplied(answer: SyncPushResponse, change: (result: Applied) => Applied): SyncPushResponse {
  return {
    ...answer,
    results: answer.results.map((result) => (result.status === 'applied' ? change(result) : result)),
  };
}

function withRead(authorize: Authorize, change: (permission: ReadPermission) => ReadPermission): Authorize {
  return { ...authorize, read: async (question) => change((await authorize.read?.(question)) ?? 'allow') };
}

function withoutPast({ reach, ...facts }: StoreFacts): StoreFacts {
  return reach === facts.head ? { ...facts, reach } : facts;
}

function withoutEnd({ reach, ...facts }: StoreFacts): StoreFacts {
  return reach === undefined ? facts : { ...facts, reach: Number.POSITIVE_INFINITY };
}

function withPlace(answer: SyncPushResponse, place: number): SyncPushResponse {
  const at = readPlace(answer.checkpoint);
  return at ? { ...answer, checkpoint: `2.${at.epoch}.${place}.${at.since}.${at.scope}.${at.seen}` } : answer;
}

/** Gives each result the id of the next one. */
function rotated(results: SyncPushResponse['results']): SyncPushResponse['results'] {
  const ids = results.map(({ mutationId }) => mutationId);
  return results.map((result, index) => {
    const mutationId = ids[(index + 1) % ids.length];
    return mutationId === undefined ? result : { ...result, mutationId };
  });
}
