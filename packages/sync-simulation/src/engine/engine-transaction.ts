/** One transaction of a local data engine: nobody else sees its writes until it commits. */
import type { EngineRow } from '@objectql/sync-types/kernel';
import type { EngineDatabase, RowChange } from './engine-database.js';

export class EngineTransaction {
  /** Reports the end of a transaction as Knex does: rejects if it does not commit. */
  readonly executionPromise: Promise<void>;
  readonly #database: EngineDatabase;
  readonly #onCommit: (changes: readonly RowChange[]) => void;
  readonly #changes = new Map<string, RowChange>();
  #end: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined;
  #isOpen = true;

  /** Calls `onCommit` at once with what has become durable. */
  constructor(database: EngineDatabase, onCommit: (changes: readonly RowChange[]) => void) {
    this.#database = database;
    this.#onCommit = onCommit;
    this.executionPromise = new Promise((resolve, reject) => {
      this.#end = { resolve, reject };
    });
    this.executionPromise.catch(() => {});
  }

  /** True once something was written. */
  get isChanged(): boolean {
    return this.#changes.size > 0;
  }

  /** The rows of a table as this transaction sees them. */
  rows(objectName: string): ReadonlyMap<string, EngineRow> {
    this.#checkOpen();
    const seen = new Map(this.#database.table(objectName));
    for (const change of this.#changes.values()) {
      if (change.objectName !== objectName) continue;
      if (change.after) seen.set(change.recordId, change.after);
      else seen.delete(change.recordId);
    }
    return seen;
  }

  /** Puts a row into a table, or removes it. */
  put(objectName: string, recordId: string, written: Pick<RowChange, 'after' | 'by'>): void {
    this.#checkOpen();
    const key = `${objectName}/${recordId}`;
    const earlier = this.#changes.get(key);
    const before = earlier ? earlier.before : this.#database.table(objectName).get(recordId);
    const by = earlier?.by === 'app' ? 'app' : written.by;
    this.#changes.set(key, { objectName, recordId, ...written, before, by });
  }

  /** Makes its writes durable. */
  async commit(): Promise<void> {
    this.#checkOpen();
    const changes = [...this.#changes.values()].filter(({ before, after }) => before !== after);
    this.#isOpen = false;
    if (changes.length > 0) {
      this.#database.commit(changes);
      this.#onCommit(changes);
    }
    this.#end?.resolve();
  }

  /** Discards its writes. */
  rollBack(error: unknown): void {
    this.#isOpen = false;
    this.#end?.reject(error);
  }

  #checkOpen(): void {
    if (!this.#isOpen) throw new Error('The transaction has ended.');
  }
}
