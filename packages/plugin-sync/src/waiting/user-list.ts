/** What the conflict list and the dead letters share: both wait for the user, for one object or for all. */
import type { MutationLogEntry, RecordRef } from '@objectql/sync-types';
import type { Listeners } from '../listeners/listeners.js';
import { Subscribers } from '../listeners/subscribers.js';
import type { ClientLog } from '../log/client-log.js';
import type { NewEntry } from '../log/log-entry.js';
import { SyncUsageError } from '../sync-usage-error.js';

export interface UserListParts {
  readonly log: ClientLog;
  /** Called after a mutation was recorded. */
  readonly onRecorded: (mutation: MutationLogEntry) => void;
  /** Called after the list changed in any other way. */
  readonly onChanged: () => void;
  readonly listeners: Pick<Listeners, 'report'>;
}

/** What a list shows, and how its items leave the storage. */
export interface ListView<Item extends { readonly id: string }> {
  /** All that wait, the longest waiting first. */
  readonly items: ReadonlyMap<string, Item>;
  /** Names an item in errors, e.g. `parked conflict`. */
  readonly noun: string;
  readonly refOf: (item: Item) => RecordRef;
  readonly removal: 'removeConflicts' | 'removeDeadLetters';
  /** The one object it shows; all when `undefined`. */
  readonly objectName?: string | undefined;
  /** Subscribers to all items, if another view of the list has some. */
  readonly subscribers?: Subscribers<readonly Item[]>;
}

export class UserList<Item extends { readonly id: string }> {
  protected readonly parts: UserListParts;
  readonly #view: ListView<Item>;
  readonly #subscribers: Subscribers<readonly Item[]>;

  constructor(parts: UserListParts, view: ListView<Item>) {
    this.parts = parts;
    this.#view = view;
    this.#subscribers = view.subscribers ?? new Subscribers(() => this.list(), parts.listeners.report);
  }

  get size(): number {
    return this.list().length;
  }

  /** The items, the longest waiting first. Empty until the storage has been read; `subscribe` tells of that. */
  list(): readonly Item[] {
    return this.#own([...this.#view.items.values()]);
  }

  find(id: string): Item | undefined {
    return this.#view.items.get(id);
  }

  /** Calls `listener` with the items now and whenever they change. Returns what stops it. */
  subscribe(listener: (items: readonly Item[]) => void): () => void {
    const { log, listeners } = this.parts;
    log.load().catch(listeners.report);
    return this.#subscribers.add((all) => listener(this.#own(all)));
  }

  /** Tells subscribers what waits now. */
  tell(): void {
    this.#subscribers.tell();
  }

  /**
   * Takes an item off the list for good, and records the mutation that replaces it, if there is one. Rejects with
   * `SyncUsageError` when the item no longer waits, whoever has decided it.
   */
  protected async decide(
    id: string,
    entryFor: (item: Item) => NewEntry | undefined,
  ): Promise<MutationLogEntry | undefined> {
    const { removal, noun } = this.#view;
    const { log, onRecorded, onChanged } = this.parts;
    const newEntries = () => {
      const item = this.find(id);
      if (!item) throw new SyncUsageError('UNKNOWN_ID', `There is no ${noun} with the id ${id} to decide.`);
      const entry = entryFor(item);
      return entry ? [entry] : [];
    };
    const [made] = await log.commit({ batch: { [removal]: [id] }, newEntries }).catch((error) => {
      // The caller hears of the failure, but without a probe nobody would notice that the storage works again.
      if (log.isFailing) log.probe();
      throw error;
    });
    const mutation = made?.mutation;
    if (mutation) onRecorded(mutation);
    else onChanged();
    return mutation;
  }

  /** A view of one object's items; of all without a name. */
  protected viewOf(objectName: string | undefined): ListView<Item> {
    return { ...this.#view, subscribers: this.#subscribers, objectName };
  }

  #own(all: readonly Item[]): readonly Item[] {
    const { objectName, refOf } = this.#view;
    return objectName === undefined ? all : all.filter((item) => refOf(item).objectName === objectName);
  }
}
