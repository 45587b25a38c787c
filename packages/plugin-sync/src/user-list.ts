/** What the conflict list and the dead letters have in common: both wait for the user, of one object or of all. */
import type { MutationLogEntry, RecordRef } from '@objectql/sync-types';
import type { ClientLog } from './client-log.js';
import type { NewEntry } from './log-change.js';
import type { WaitingList } from './waiting-list.js';

export interface UserListParts {
  readonly log: ClientLog;
  /** Opens the storage, once. */
  readonly open: () => Promise<void>;
  /** Called after a mutation was recorded. */
  readonly onRecorded: (mutation: MutationLogEntry) => void;
  /** Called after the list changed in any other way. */
  readonly onChanged: () => void;
  readonly onListenerFailed: (error: unknown) => void;
}

/** What a list shows, and how its items leave the storage. */
export interface ListView<Item extends { readonly id: string }> {
  readonly waiting: WaitingList<Item>;
  readonly refOf: (item: Item) => RecordRef;
  readonly removal: 'removeConflicts' | 'removeDeadLetters';
  /** The one object it shows; all when `undefined`. */
  readonly objectName?: string | undefined;
}

export class UserList<Item extends { readonly id: string }> {
  protected readonly parts: UserListParts;
  protected readonly view: ListView<Item>;

  constructor(parts: UserListParts, view: ListView<Item>) {
    this.parts = parts;
    this.view = view;
  }

  get size(): number {
    return this.list().length;
  }

  /** The items, the longest waiting first. */
  list(): readonly Item[] {
    return this.#own(this.view.waiting.list());
  }

  find(id: string): Item | undefined {
    return this.view.waiting.find(id);
  }

  /** Calls `listener` with the items now and whenever they change. Returns what stops it. */
  subscribe(listener: (items: readonly Item[]) => void): () => void {
    const { open, onListenerFailed } = this.parts;
    open().catch(onListenerFailed);
    return this.view.waiting.subscribe((all) => listener(this.#own(all)));
  }

  /** Takes over items that have become durable. */
  put(items: readonly Item[]): void {
    this.view.waiting.put(items);
  }

  /** Takes over all items there are, after somebody else has changed them. */
  replace(items: readonly Item[]): void {
    this.view.waiting.replace(items);
  }

  /** Takes an item off the list for good, and records the mutation that takes its place, if there is one. */
  protected async settle(
    id: string,
    entryFor: (item: Item) => NewEntry | undefined,
  ): Promise<MutationLogEntry | undefined> {
    const { log, open, onRecorded, onChanged } = this.parts;
    const { waiting, removal } = this.view;
    await open();
    const made = await waiting.decide(id, async (item) => {
      const entry = entryFor(item);
      const recheck = () => waiting.recheck(id);
      const newEntries = entry ? [entry] : [];
      const [stored] = await log.commit({ batch: { [removal]: [id] }, newEntries, recheck });
      return stored?.mutation;
    });
    if (made) onRecorded(made);
    else onChanged();
    return made;
  }

  #own(all: readonly Item[]): readonly Item[] {
    const { objectName, refOf } = this.view;
    return objectName === undefined ? all : all.filter((item) => refOf(item).objectName === objectName);
  }
}
