/** The application's own records, beside the sync store or committed together with it. */
import type { JsonObject } from '@objectql/sync-types';

/** Records by name. */
export class AppDatabase {
  #records = new Map<string, JsonObject>();

  get(name: string): JsonObject | undefined {
    return this.#records.get(name);
  }

  /** All names there are. */
  names(): readonly string[] {
    return [...this.#records.keys()];
  }

  /** Writes a whole record, or removes it. */
  put(name: string, data: JsonObject | null): void {
    if (data) this.#records.set(name, data);
    else this.#records.delete(name);
  }

  clear(): void {
    this.#records = new Map();
  }
}

/** What one transaction has written so far: savepoints undo it, and the store's commit makes it permanent. */
export class AppTransaction {
  #written = new Map<string, JsonObject | null>();
  readonly #database: AppDatabase;

  constructor(database: AppDatabase) {
    this.#database = database;
  }

  get(name: string): JsonObject | undefined {
    const own = this.#written.get(name);
    return own === undefined ? this.#database.get(name) : (own ?? undefined);
  }

  put(name: string, data: JsonObject | null): void {
    this.#written.set(name, data);
  }

  /** Runs `work`; what it wrote is undone when it throws. */
  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    const before = new Map(this.#written);
    try {
      return await work();
    } catch (error) {
      this.#written = before;
      throw error;
    }
  }

  /** The changes to commit. */
  changes(): readonly (readonly [string, JsonObject | null])[] {
    return [...this.#written];
  }
}
