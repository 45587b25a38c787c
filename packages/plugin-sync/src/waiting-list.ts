/** What waits for the user, durably: the common part of the conflict list and the dead letters. */
import { SyncUsageError } from './sync-usage-error.js';

export class WaitingList<Item extends { readonly id: string }> {
  readonly #itemById = new Map<string, Item>();
  readonly #listeners = new Set<(items: readonly Item[]) => void>();
  readonly #noun: string;

  /** `noun` names an item in errors, e.g. `conflict`. */
  constructor(noun: string) {
    this.#noun = noun;
  }

  get size(): number {
    return this.#itemById.size;
  }

  /** The items, the longest waiting first. */
  list(): readonly Item[] {
    return [...this.#itemById.values()];
  }

  /** The item, or a `SyncUsageError` when there is none of that id. */
  get(id: string): Item {
    const item = this.#itemById.get(id);
    if (!item) throw new SyncUsageError('UNKNOWN_ID', `There is no ${this.#noun} with the id ${id}.`);
    return item;
  }

  find(id: string): Item | undefined {
    return this.#itemById.get(id);
  }

  put(items: readonly Item[]): void {
    if (items.length === 0) return;
    for (const item of items) this.#itemById.set(item.id, item);
    this.#tell();
  }

  remove(id: string): void {
    if (this.#itemById.delete(id)) this.#tell();
  }

  /** Calls `listener` with the items now and whenever they change. Returns what stops it. */
  subscribe(listener: (items: readonly Item[]) => void): () => void {
    this.#listeners.add(listener);
    listener(this.list());
    return () => {
      this.#listeners.delete(listener);
    };
  }

  #tell(): void {
    for (const listener of this.#listeners) listener(this.list());
  }
}
