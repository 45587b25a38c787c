/** The durable part of a local data engine: its tables, and the last commits, some of which a power cut may undo. */
import type { EngineRow } from '@objectql/sync-types/kernel';

/** The originator of a change: the app, sync, or a hook while sync wrote. */
export type Actor = 'app' | 'sync' | 'hook';

/** A transaction's change of one row. */
export interface RowChange {
  readonly objectName: string;
  readonly recordId: string;
  readonly before: EngineRow | undefined;
  readonly after: EngineRow | undefined;
  readonly by: Actor;
}

/** 5: commits that a disk may hold back for some seconds. */
const LAST_COMMITS = 5;

export class EngineDatabase {
  readonly #tables = new Map<string, Map<string, EngineRow>>();
  #last: readonly (readonly RowChange[])[] = [];
  #ids = 0;

  /** An id that no row has or had, whatever was undone: ObjectStack's engine draws them at random. */
  newId(): string {
    this.#ids += 1;
    return `row-${this.#ids}`;
  }

  /** The rows of a table by id. */
  table(objectName: string): ReadonlyMap<string, EngineRow> {
    return this.#rowsOf(objectName);
  }

  commit(changes: readonly RowChange[]): void {
    this.#last = [...this.#last, changes].slice(-LAST_COMMITS);
    for (const { objectName, recordId, after } of changes) this.#put(objectName, recordId, after);
  }

  /** No commit made by now can be lost any more. */
  sync(): void {
    this.#last = [];
  }

  /** Undoes at most this many of the last commits; answers what they had changed, the last first. */
  takeBack(commits: number): readonly RowChange[] {
    const lost = commits === 0 ? [] : this.#last.slice(-commits).flat().toReversed();
    for (const { objectName, recordId, before } of lost) this.#put(objectName, recordId, before);
    this.#last = [];
    return lost;
  }

  #put(objectName: string, recordId: string, row: EngineRow | undefined): void {
    if (row) this.#rowsOf(objectName).set(recordId, row);
    else this.#rowsOf(objectName).delete(recordId);
  }

  #rowsOf(objectName: string): Map<string, EngineRow> {
    const rows = this.#tables.get(objectName) ?? new Map<string, EngineRow>();
    this.#tables.set(objectName, rows);
    return rows;
  }
}
