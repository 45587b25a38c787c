/** Mutations the server refused for good, or that failed too often. Nothing is deleted unless the user says so. */
import { isRetryable, type MutationLogEntry } from '@objectql/sync-types';
import type { DeadLetter } from '../storage/client-storage.js';
import { type ListView, UserList, type UserListParts } from './user-list.js';

/**
 * Refused mutations, the longest waiting first: `list()` or `subscribe(listener)`. Each has an `id`, the `mutation`, a
 * `code` and a `reason`, and is kept until `retry(id)` sends it again or `discard(id)` gives it up.
 */
export class DeadLetterList extends UserList<DeadLetter> {
  constructor(parts: UserListParts, view?: ListView<DeadLetter>) {
    const items = parts.log.waiting.deadLetters;
    super(
      parts,
      view ?? { items, noun: 'dead letter', refOf: ({ mutation }) => mutation, removal: 'removeDeadLetters' },
    );
  }

  /** The same list with the dead letters of one object only; with all, if none is named. */
  of(objectName: string | undefined): DeadLetterList {
    return new DeadLetterList(this.parts, this.viewOf(objectName));
  }

  /**
   * Sends a dead letter once more. One that failed too often keeps its id, because the server may have applied it after
   * all; a refused one gets a new id, because a refusal is final for the old one. Durable when it resolves. Rejects with
   * `SyncUsageError` `UNKNOWN_ID` when there is no such dead letter.
   */
  async retry(id: string): Promise<MutationLogEntry> {
    const made = await this.decide(id, ({ mutation: input, code }) => ({
      input,
      round: 0,
      ...(isRetryable(code) ? { id } : {}),
    }));
    // A new entry was passed, so one was made.
    return made as MutationLogEntry;
  }

  /** Gives a dead letter up for good. Durable when it resolves. */
  async discard(id: string): Promise<void> {
    await this.decide(id, () => undefined);
  }

  /** The dead letters as JSON text, to be kept or sent to support. */
  export(): string {
    return JSON.stringify(this.list(), null, 2);
  }
}
