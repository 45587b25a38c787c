/** What is durable of a local data engine: its tables, and the last commits, of which a power cut may take some. */
import type { EngineRow } from '@objectql/sync-types/kernel';

/** Who brought a change about: the app, or sync, or a hook while sync wrote. */
export type Actor = 'app' | 'sync' | 'hook';

/** What one transaction made of one row. */
export interface RowChange {
  readonly objectName: string;
  readonly recordId: string;
  readonly before: EngineRow | undefined;
  readonly after: EngineRow | undefined;
  readonly by: Actor;
}

/** 5: what a disk may hold back for some seconds. */
const LAST_COMMITS = 5;

export class EngineDatabase {
  readonly #tables = new Map<string, Map<string, EngineRow>>();
  #last: readonly (readonly RowChange[])[] = [];

  /** The rows of a table by id. */
  table(objectName: string): ReadonlyMap<string, EngineRow> {
    return this.#rowsOf(objectName);
  }

  commit(changes: readonly RowChange[]): void {
    this.#last = [...this.#last, changes].slice(-LAST_COMMITS);
    for (const { objectName, recordId, after } of changes) this.#put(objectName, recordId, after);
  }

  /** Nothing of what was committed by now may be lost any more. */
  sync(): void {
    this.#last = [];
  }

  /** Loses the last commits, this many at most; answers what they had changed, the last first. */
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
