/** What the inspector keeps of requests: who asked what, and the outcome. No record contents. */
import type { MutationLogEntry, SyncMutationResult, SyncPushResponse } from '@objectql/sync-types';

/** One request of this tab and its outcome. */
export interface RecordedRequest {
  /** Counts from 1. */
  readonly number: number;
  readonly kind: 'push' | 'pull';
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** The ids of the mutations it carries. */
  readonly mutationIds: readonly string[];
  /** The checkpoint it was made with. */
  readonly checkpoint: string | null;
  readonly outcome: RequestOutcome;
}

/** The state of a request. */
export type RequestOutcome =
  | { readonly status: 'under way' }
  | {
      readonly status: 'answered';
      readonly tookMs: number;
      /** How many changes of others it brought. */
      readonly changes: number;
      readonly checkpoint: string;
      readonly hasMore: boolean;
      /** Set when the walk of the feed starts over. */
      readonly reset: string | null;
    }
  | { readonly status: 'failed'; readonly tookMs: number; readonly message: string };

/** What became of one mutation, by the server's answer. */
export interface RecordedOutcome {
  readonly mutationId: string;
  readonly objectName: string;
  readonly recordId: string | number;
  readonly operation: MutationLogEntry['operation'];
  /** When the answer came, epoch milliseconds. */
  readonly at: number;
  readonly status: SyncMutationResult['status'];
  /** The rest in words, e.g. `version 3, without title`. */
  readonly detail: string;
}

/** The outcomes in an answer; none for something else, such as a page of HTML. */
export function outcomesIn(
  answer: Partial<SyncPushResponse>,
  { mutations, at }: { readonly mutations: readonly MutationLogEntry[]; readonly at: number },
): readonly RecordedOutcome[] {
  return (answer.results ?? []).flatMap((result, index) => {
    const mutation = mutations.find(({ id }) => id === result.mutationId) ?? mutations[index];
    if (!mutation) return [];
    const { id: mutationId, objectName, recordId, operation } = mutation;
    return [{ mutationId, objectName, recordId, operation, at, status: result.status, detail: detailOf(result) }];
  });
}

function detailOf(result: SyncMutationResult): string {
  switch (result.status) {
    case 'applied': {
      const dropped = result.droppedFields?.length ? `, without ${result.droppedFields.join(', ')}` : '';
      return `version ${result.serverVersion}${dropped}${result.duplicate ? ', told again' : ''}`;
    }
    case 'conflict': {
      const { kind, conflictingFields } = result.conflict;
      return [kind, conflictingFields.join(', ')].filter(Boolean).join(': ');
    }
    case 'rejected':
      return [result.code, result.reason].filter(Boolean).join(': ');
  }
}
