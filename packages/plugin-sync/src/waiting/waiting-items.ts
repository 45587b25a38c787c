/** What waits for the user, as stored: by id, the longest waiting first. */
import type { SyncConflict } from '@objectql/sync-types';
import type { ClientState, DeadLetter, ParkedConflict, StorageBatch } from '../storage/client-storage.js';

/** The parts of a batch that concern what waits. */
type WaitingBatch = Pick<StorageBatch, 'putConflicts' | 'removeConflicts' | 'putDeadLetters' | 'removeDeadLetters'>;

export class WaitingItems {
  readonly conflicts = new Map<string, ParkedConflict>();
  readonly deadLetters = new Map<string, DeadLetter>();

  /** Takes over a batch that has become durable. */
  update({ putConflicts, removeConflicts, putDeadLetters, removeDeadLetters }: WaitingBatch): void {
    change(this.conflicts, putConflicts, removeConflicts);
    change(this.deadLetters, putDeadLetters, removeDeadLetters);
  }

  /** Takes over all that waits, after somebody else may have changed it. */
  replace({ conflicts, deadLetters }: Pick<ClientState, 'conflicts' | 'deadLetters'>): void {
    this.conflicts.clear();
    this.deadLetters.clear();
    this.update({ putConflicts: conflicts, putDeadLetters: deadLetters });
  }

  /**
   * What the batch adds and all that waits already, without versions: the items outlive the feed, their versions do
   * not.
   */
  withoutVersions({ putConflicts = [], putDeadLetters = [] }: WaitingBatch): WaitingBatch {
    const conflicts = [...this.conflicts.values()];
    const deadLetters = [...this.deadLetters.values()];
    return {
      putConflicts: [
        ...conflicts.map((parked) => ({ ...parked, conflict: withoutVersion(parked.conflict) })),
        ...putConflicts,
      ],
      putDeadLetters: [
        ...deadLetters.map((letter) => ({ ...letter, mutation: { ...letter.mutation, baseVersion: null } })),
        ...putDeadLetters,
      ],
    };
  }
}

function change<Item extends { readonly id: string }>(
  items: Map<string, Item>,
  put: readonly Item[] = [],
  removed: readonly string[] = [],
): void {
  for (const id of removed) items.delete(id);
  for (const item of put) items.set(item.id, item);
}

function withoutVersion({ serverVersion, ...conflict }: SyncConflict): SyncConflict {
  return conflict;
}
