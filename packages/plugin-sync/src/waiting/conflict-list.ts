/** Conflicts that nobody has decided yet. They block nothing: other changes of the same record go through. */
import type { MutationLogEntry } from '@objectql/sync-types';
import { type Choice, type Resolution, resolveWith } from '../conflicts/conflict-resolver.js';
import { followUpOf } from '../conflicts/follow-up.js';
import type { NewEntry } from '../log/log-entry.js';
import type { ParkedConflict } from '../storage/client-storage.js';
import { type ListView, UserList, type UserListParts } from './user-list.js';

/**
 * Conflicts that wait for the user, the longest waiting first: `list()` or `subscribe(listener)`. Each has an `id` and a
 * `conflict`, and is kept until `resolve(id, 'mine' | 'theirs' | record)`.
 */
export class ConflictList extends UserList<ParkedConflict> {
  constructor(parts: UserListParts, view?: ListView<ParkedConflict>) {
    const items = parts.log.waiting.conflicts;
    super(
      parts,
      view ?? { items, noun: 'parked conflict', refOf: ({ conflict }) => conflict, removal: 'removeConflicts' },
    );
  }

  /** The same list with the conflicts of one object only; with all, if none is named. */
  of(objectName: string | undefined): ConflictList {
    return new ConflictList(this.parts, this.viewOf(objectName));
  }

  /**
   * Decides a conflict: `mine` makes the change again on top of the server's record, `theirs` keeps the server's
   * record, a record is written as it is (only what differs). Durable when it resolves, with the mutation it recorded,
   * if any. Rejects with `SyncUsageError` when there is no such conflict or the record cannot be stored.
   */
  async resolve(id: string, choice: Choice): Promise<MutationLogEntry | undefined> {
    return this.decide(id, (parked) => entryFor(parked, resolveWith(parked.conflict, choice, parked.copy)));
  }

  /** Carries out a decision that came after the conflict was parked, unless the user has decided meanwhile. */
  async resolveLate(id: string, resolution: Resolution): Promise<void> {
    if (resolution.do !== 'park' && this.find(id)) await this.decide(id, (parked) => entryFor(parked, resolution));
  }
}

function entryFor({ conflict }: ParkedConflict, resolution: Resolution): NewEntry | undefined {
  return resolution.do === 'write' ? followUpOf(conflict, resolution, { round: 0, later: [] }) : undefined;
}
