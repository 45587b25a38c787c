/** What waits for the user outlives the feed it came from; the versions in it do not. */
import type { SyncConflict } from '@objectql/sync-types';
import type { DeadLetter, ParkedConflict, StorageBatch } from './storage/client-storage.js';

/** What waits for the user. */
export interface WaitingItems {
  readonly conflicts: readonly ParkedConflict[];
  readonly deadLetters: readonly DeadLetter[];
}

/** The same conflicts and dead letters, without versions of a feed that is no more. */
export function forgetEpoch({
  conflicts,
  deadLetters,
}: WaitingItems): Required<Pick<StorageBatch, 'putConflicts' | 'putDeadLetters'>> {
  return {
    putConflicts: conflicts.map((parked) => ({ ...parked, conflict: withoutVersion(parked.conflict) })),
    putDeadLetters: deadLetters.map((letter) => ({ ...letter, mutation: { ...letter.mutation, baseVersion: null } })),
  };
}

function withoutVersion({ serverVersion, ...conflict }: SyncConflict): SyncConflict {
  return conflict;
}
