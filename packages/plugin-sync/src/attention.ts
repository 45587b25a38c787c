/** What waits for the user, and what the user can do about it. */
import type { JsonObject, MutationLogEntry } from '@objectql/sync-types';
import { isRetryable } from '@objectql/sync-types';
import { type Choice, resolveWith } from './conflict-resolver.js';
import type { MutationLogger } from './mutation-logger.js';
import { checkNewMutation } from './new-mutation.js';
import type { ClientState, DeadLetter, ParkedConflict } from './storage/client-storage.js';
import { WaitingList } from './waiting-list.js';

export interface AttentionParts {
  readonly log: MutationLogger;
  /** Called after something was recorded or removed. */
  readonly onRecorded: (mutation: MutationLogEntry) => void;
  readonly onChanged: () => void;
  /** The record as the user sees it now. */
  readonly readRecord: (mutation: MutationLogEntry) => Promise<JsonObject | undefined>;
}

/** Conflicts nobody has decided yet. They block nothing: other changes of the same record go through. */
export class ConflictList {
  readonly #parked = new WaitingList<ParkedConflict>('parked conflict');
  readonly #parts: AttentionParts;

  constructor(parts: AttentionParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#parked.size;
  }

  list(): readonly ParkedConflict[] {
    return this.#parked.list();
  }

  find(id: string): ParkedConflict | undefined {
    return this.#parked.find(id);
  }

  /** Calls `listener` with the conflicts now and whenever they change. Returns what stops it. */
  subscribe(listener: (conflicts: readonly ParkedConflict[]) => void): () => void {
    return this.#parked.subscribe(listener);
  }

  put(conflicts: readonly ParkedConflict[]): void {
    this.#parked.put(conflicts);
  }

  /**
   * Decides a conflict: `mine` makes the change again on top of what the server has, `theirs` lets the server's record
   * stand, a record is written as it is. Durable when it resolves; answers the mutation it recorded, if it took one.
   */
  async resolve(id: string, choice: Choice): Promise<MutationLogEntry | undefined> {
    const { conflict } = this.#parked.get(id);
    const { log, readRecord, onRecorded, onChanged } = this.#parts;
    const { objectName, recordId } = conflict.clientMutation;
    const resolution = resolveWith(conflict, choice, await readRecord(conflict.clientMutation));
    if (resolution.do !== 'write') {
      await log.commit({ removeConflicts: [id] });
      this.#parked.remove(id);
      onChanged();
      return undefined;
    }
    const { operation, data } = resolution;
    const input = checkNewMutation({
      objectName,
      recordId,
      operation,
      ...(operation === 'delete' ? {} : { data }),
      baseVersion: conflict.serverVersion ?? null,
    });
    const entry = log.makeEntry(input, { round: 0 });
    await log.commit({ removeConflicts: [id], putEntries: [entry] });
    this.#parked.remove(id);
    onRecorded(entry.mutation);
    return entry.mutation;
  }
}

/** Mutations the server refused for good, or that failed too often. Nothing is deleted unless the user says so. */
export class DeadLetterList {
  readonly #dead = new WaitingList<DeadLetter>('dead letter');
  readonly #parts: AttentionParts;

  constructor(parts: AttentionParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#dead.size;
  }

  list(): readonly DeadLetter[] {
    return this.#dead.list();
  }

  find(id: string): DeadLetter | undefined {
    return this.#dead.find(id);
  }

  /** Calls `listener` with the dead letters now and whenever they change. Returns what stops it. */
  subscribe(listener: (deadLetters: readonly DeadLetter[]) => void): () => void {
    return this.#dead.subscribe(listener);
  }

  put(deadLetters: readonly DeadLetter[]): void {
    this.#dead.put(deadLetters);
  }

  /**
   * Sends a dead letter once more. One that failed too often keeps its id, because the server may have applied it after
   * all; one that was refused gets a new id, because a refusal is final for the old one. Durable when it resolves.
   */
  async retry(id: string): Promise<MutationLogEntry> {
    const { mutation, code } = this.#dead.get(id);
    const { log, onRecorded } = this.#parts;
    const entry = log.makeEntry(mutation, { round: 0, ...(isRetryable(code) ? { id: mutation.id } : {}) });
    await log.commit({ removeDeadLetters: [id], putEntries: [entry] });
    this.#dead.remove(id);
    onRecorded(entry.mutation);
    return entry.mutation;
  }

  /** Gives a dead letter up for good. Durable when it resolves. */
  async discard(id: string): Promise<void> {
    this.#dead.get(id);
    await this.#parts.log.commit({ removeDeadLetters: [id] });
    this.#dead.remove(id);
    this.#parts.onChanged();
  }

  /** The dead letters as JSON text, to be kept or sent to support. */
  export(): string {
    return JSON.stringify(this.list(), null, 2);
  }
}

/** Fills both lists from what was stored. */
export function fillAttention(
  state: ClientState,
  lists: { conflicts: ConflictList; deadLetters: DeadLetterList },
): void {
  lists.conflicts.put(state.conflicts);
  lists.deadLetters.put(state.deadLetters);
}
