/** What waits for the user, durably: the common part of the conflict list and the dead letters. */
import { Subscribers } from './subscribers.js';
import { SyncUsageError } from './sync-usage-error.js';

export class WaitingList<Item extends { readonly id: string }> {
  readonly #itemById = new Map<string, Item>();
  readonly #beingDecided = new Set<string>();
  readonly #subscribers: Subscribers<readonly Item[]>;
  readonly #noun: string;

  /** `noun` names an item in errors, e.g. `parked conflict`. */
  constructor(noun: string, onListenerFailed: (error: unknown) => void) {
    this.#noun = noun;
    this.#subscribers = new Subscribers(() => this.list(), onListenerFailed);
  }

  /** The items, the longest waiting first. */
  list(): readonly Item[] {
    return [...this.#itemById.values()];
  }

  find(id: string): Item | undefined {
    return this.#itemById.get(id);
  }

  /** Takes over what has become durable. */
  put(items: readonly Item[]): void {
    if (items.length > 0) this.#take(items);
  }

  /** Takes over all that waits, after somebody else has changed it. */
  replace(items: readonly Item[]): void {
    this.#itemById.clear();
    this.#take(items);
  }

  /** Throws `SyncUsageError` when the item waits no more, as when another tab has decided it. */
  recheck(id: string): void {
    if (!this.#itemById.has(id)) this.#refuse(id);
  }

  /**
   * Takes an item off the list once `work`, which makes that durable, has resolved. Rejects with `SyncUsageError` when
   * there is no such item, or when it is being decided already.
   */
  async decide<Made>(id: string, work: (item: Item) => Promise<Made>): Promise<Made> {
    const item = this.#itemById.get(id);
    if (!item || this.#beingDecided.has(id)) return this.#refuse(id);
    this.#beingDecided.add(id);
    try {
      const made = await work(item);
      this.#itemById.delete(id);
      this.#subscribers.tell();
      return made;
    } finally {
      this.#beingDecided.delete(id);
    }
  }

  /** Calls `listener` with the items now and whenever they change. Returns what stops it. */
  subscribe(listener: (items: readonly Item[]) => void): () => void {
    return this.#subscribers.add(listener);
  }

  #take(items: readonly Item[]): void {
    for (const item of items) this.#itemById.set(item.id, item);
    this.#subscribers.tell();
  }

  #refuse(id: string): never {
    throw new SyncUsageError('UNKNOWN_ID', `There is no ${this.#noun} with the id ${id} to decide.`);
  }
}
