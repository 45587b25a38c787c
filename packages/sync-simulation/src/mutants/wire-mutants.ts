/** Rules of requests and answers, switched off one at a time. */
import type { SyncMutationResult, SyncPushResponse } from '@objectql/sync-types';
import { readPlace } from '../invariants/checkpoint.js';
import type { ExpectedMutant } from './mutant.js';

/** The mutants of what reaches the server and what leaves it. */
export const WIRE_MUTANTS: readonly ExpectedMutant[] = [
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
    name: 'the checkpoint is the head of the feed, not the last record scanned',
    breaks: 'I6',
    hint: 1,
    answer: (answer, { head }) => withPlace(answer, head),
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
    hint: 6,
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
    name: 'fields that lost are not reported',
    breaks: 'I8',
    hint: 6,
    answer: (answer) => withApplied(answer, ({ droppedFields, ...rest }) => rest),
  },
  {
    name: 'an answer keeps one change of a page and passes all',
    breaks: 'I6',
    hint: 1,
    answer: (answer) => ({ ...answer, serverChanges: answer.serverChanges.slice(0, 1) }),
  },
  {
    name: 'versions from before a restore still count',
    breaks: 'I13',
    hint: 149,
    answer: (answer) => (answer.reset === 'epoch' ? { ...answer, reset: 'expired' } : answer),
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
];

type Applied = Extract<SyncMutationResult, { readonly status: 'applied' }>;

function withApplied(answer: SyncPushResponse, change: (result: Applied) => Applied): SyncPushResponse {
  return {
    ...answer,
    results: answer.results.map((result) => (result.status === 'applied' ? change(result) : result)),
  };
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
