/** The entries that are not settled yet, in the order of their sequences; every operation costs what it touches. */
import { type RecordRef, recordKey } from '@objectql/sync-types';
import type { StoredEntry } from './storage/client-storage.js';

export class PendingEntries {
  readonly #entryById = new Map<string, StoredEntry>();
  readonly #idsByRecord = new IdIndex();
  readonly #idsByObject = new IdIndex();
  /** By rising sequence. A slot whose entry is gone or was numbered anew stays until the head has passed it. */
  #slots: Slot[] = [];
  #head = 0;

  get size(): number {
    return this.#entryById.size;
  }

  get(id: string): StoredEntry | undefined {
    return this.#entryById.get(id);
  }

  /** Adds an entry at the place its sequence gives it, or replaces the one of its id. */
  put(entry: StoredEntry): void {
    const { id, sequence, objectName } = entry.mutation;
    const before = this.#entryById.get(id);
    this.#entryById.set(id, entry);
    if (before?.mutation.sequence === sequence) return;
    this.#insert({ id, sequence });
    this.#idsByRecord.add(recordKey(entry.mutation), id);
    this.#idsByObject.add(objectName, id);
  }

  remove(id: string): void {
    const entry = this.#entryById.get(id);
    if (!entry) return;
    this.#entryById.delete(id);
    this.#idsByRecord.remove(recordKey(entry.mutation), id);
    this.#idsByObject.remove(entry.mutation.objectName, id);
    this.#passSettled();
  }

  clear(): void {
    for (const id of [...this.#entryById.keys()]) this.remove(id);
  }

  /** All entries, the oldest first. */
  *[Symbol.iterator](): Iterator<StoredEntry> {
    for (let index = this.#head; index < this.#slots.length; index++) {
      const entry = this.#entryAt(index);
      if (entry) yield entry;
    }
  }

  /** The entries of one record, the oldest first. */
  ofRecord(ref: RecordRef): readonly StoredEntry[] {
    return this.#entries(this.#idsByRecord.get(recordKey(ref)));
  }

  /** The entries of one object, the oldest first. */
  ofObject(objectName: string): readonly StoredEntry[] {
    return this.#entries(this.#idsByObject.get(objectName));
  }

  #entries(ids: Iterable<string>): readonly StoredEntry[] {
    const entries = [...ids].flatMap((id) => this.#entryById.get(id) ?? []);
    return entries.sort((a, b) => a.mutation.sequence - b.mutation.sequence);
  }

  /** Nearly always at the end: only what was appended while this entry was being stored stands behind it. */
  #insert(slot: Slot): void {
    let index = this.#slots.length;
    while (index > this.#head && (this.#slots[index - 1]?.sequence ?? 0) > slot.sequence) index -= 1;
    if (index === this.#slots.length) this.#slots.push(slot);
    else this.#slots.splice(index, 0, slot);
  }

  #entryAt(index: number): StoredEntry | undefined {
    const slot = this.#slots[index];
    const entry = slot && this.#entryById.get(slot.id);
    return entry?.mutation.sequence === slot?.sequence ? entry : undefined;
  }

  #passSettled(): void {
    while (this.#head < this.#slots.length && !this.#entryAt(this.#head)) this.#head += 1;
    // Cut off when half of it is waste: each slot is then moved at most once for each that was removed.
    if (this.#head * 2 < this.#slots.length) return;
    this.#slots = this.#slots.slice(this.#head);
    this.#head = 0;
  }
}

interface Slot {
  readonly id: string;
  readonly sequence: number;
}

/** Which ids belong to a key; keys without any are forgotten. Most records have one pending change: no set for those. */
class IdIndex {
  readonly #idsByKey = new Map<string, string | Set<string>>();

  get(key: string): Iterable<string> {
    const ids = this.#idsByKey.get(key) ?? [];
    return typeof ids === 'string' ? [ids] : ids;
  }

  add(key: string, id: string): void {
    const ids = this.#idsByKey.get(key);
    if (ids === undefined || ids === id) this.#idsByKey.set(key, id);
    else if (typeof ids === 'string') this.#idsByKey.set(key, new Set([ids, id]));
    else ids.add(id);
  }

  remove(key: string, id: string): void {
    const ids = this.#idsByKey.get(key);
    if (ids === id) this.#idsByKey.delete(key);
    else if (typeof ids === 'object' && ids.delete(id) && ids.size === 0) this.#idsByKey.delete(key);
  }
}
