/** Conflicts that nobody has decided yet. They block nothing: other changes of the same record go through. */
import type { MutationLogEntry } from '@objectql/sync-types';
import type { ClientLog } from './client-log.js';
import { type Choice, type Resolution, resolveWith } from './conflict-resolver.js';
import { followUpOf } from './follow-up.js';
import type { ParkedConflict } from './storage/client-storage.js';
import { WaitingList } from './waiting-list.js';

export interface UserListParts {
  readonly log: ClientLog;
  /** Called after a mutation was recorded. */
  readonly onRecorded: (mutation: MutationLogEntry) => void;
  /** Called after the list changed in any other way. */
  readonly onChanged: () => void;
  readonly onListenerFailed: (error: unknown) => void;
}

export class ConflictList {
  readonly #parts: UserListParts;
  readonly #waiting: WaitingList<ParkedConflict>;
  readonly #objectName: string | undefined;

  constructor(
    parts: UserListParts,
    view?: { readonly waiting: WaitingList<ParkedConflict>; readonly objectName: string },
  ) {
    this.#parts = parts;
    this.#waiting = view?.waiting ?? new WaitingList('parked conflict', parts.onListenerFailed);
    this.#objectName = view?.objectName;
  }

  /** The same list, with the conflicts of one object only. */
  of(objectName: string): ConflictList {
    return new ConflictList(this.#parts, { waiting: this.#waiting, objectName });
  }

  get size(): number {
    return this.#objectName === undefined ? this.#waiting.size : this.list().length;
  }

  /** The conflicts, the longest parked first. */
  list(): readonly ParkedConflict[] {
    return this.#own(this.#waiting.list());
  }

  find(id: string): ParkedConflict | undefined {
    return this.#waiting.find(id);
  }

  /** Calls `listener` with the conflicts now and whenever one is parked or decided. Returns what stops it. */
  subscribe(listener: (conflicts: readonly ParkedConflict[]) => void): () => void {
    return this.#waiting.subscribe((all) => listener(this.#own(all)));
  }

  /**
   * Decides a conflict: `mine` makes the change again on top of what the server has, `theirs` lets the server's record
   * stand, a record is written as it is (only what differs). Durable when it resolves; answers the mutation it recorded,
   * if it took one. Rejects with `SyncUsageError` when there is no such conflict or the record cannot be stored.
   */
  async resolve(id: string, choice: Choice): Promise<MutationLogEntry | undefined> {
    return this.#settle(id, ({ conflict, copy }) => resolveWith(conflict, choice, copy));
  }

  /** Takes over conflicts that have become durable. */
  put(conflicts: readonly ParkedConflict[]): void {
    this.#waiting.put(conflicts);
  }

  /** Takes over all conflicts there are, after somebody else has changed them. */
  replace(conflicts: readonly ParkedConflict[]): void {
    this.#waiting.replace(conflicts);
  }

  /** Carries out what was decided after the conflict had been parked; one the user has decided meanwhile stays decided. */
  async resolveLate(id: string, resolution: Resolution): Promise<void> {
    if (resolution.do !== 'park' && this.find(id)) await this.#settle(id, () => resolution);
  }

  async #settle(id: string, decide: (parked: ParkedConflict) => Resolution): Promise<MutationLogEntry | undefined> {
    const { log, onRecorded, onChanged } = this.#parts;
    const made = await this.#waiting.decide(id, async (parked) => {
      const resolution = decide(parked);
      const newEntry =
        resolution.do === 'write' ? followUpOf(parked.conflict, resolution, { round: 0, later: [] }) : undefined;
      const [entry] = await log.commit({
        batch: { removeConflicts: [id] },
        newEntries: newEntry ? [newEntry] : [],
        recheck: () => this.#waiting.recheck(id),
      });
      return entry?.mutation;
    });
    if (made) onRecorded(made);
    else onChanged();
    return made;
  }

  #own(all: readonly ParkedConflict[]): readonly ParkedConflict[] {
    return this.#objectName === undefined
      ? all
      : all.filter(({ conflict }) => conflict.objectName === this.#objectName);
  }
}
