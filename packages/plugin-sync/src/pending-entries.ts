/** The entries that are not settled yet, in the order of their sequences; every operation costs what it touches. */
import type { RecordId, RecordRef } from '@objectql/sync-types';
import type { StoredEntry } from './storage/client-storage.js';

export class PendingEntries {
  readonly #entryById = new Map<string, StoredEntry>();
  /** By object, then by record: a map keeps the ids `1` and `'1'` apart. */
  readonly #entriesByObject = new Map<string, Map<RecordId, StoredEntry[]>>();
  /** By rising sequence. An entry that is gone or was numbered anew stays until the head has passed it. */
  #order: StoredEntry[] = [];
  #head = 0;

  get size(): number {
    return this.#entryById.size;
  }

  get(id: string): StoredEntry | undefined {
    return this.#entryById.get(id);
  }

  /** Adds an entry at the place its sequence gives it, or replaces the one of its id. */
  put(entry: StoredEntry): void {
    const { id, sequence, objectName, recordId } = entry.mutation;
    const before = this.#entryById.get(id);
    if (before === entry) return;
    if (before) this.#forget(before);
    this.#entryById.set(id, entry);
    const byRecord = this.#entriesByObject.get(objectName) ?? new Map<RecordId, StoredEntry[]>();
    this.#entriesByObject.set(objectName, byRecord);
    const siblings = byRecord.get(recordId);
    if (siblings) insert(siblings, entry);
    else byRecord.set(recordId, [entry]);
    if (before?.mutation.sequence !== sequence) insert(this.#order, entry);
  }

  remove(id: string): void {
    const entry = this.#entryById.get(id);
    if (!entry) return;
    this.#entryById.delete(id);
    this.#forget(entry);
    this.#passSettled();
  }

  clear(): void {
    this.#entryById.clear();
    this.#entriesByObject.clear();
    this.#order = [];
    this.#head = 0;
  }

  /** All entries, the oldest first. */
  *[Symbol.iterator](): Iterator<StoredEntry> {
    for (let index = this.#head; index < this.#order.length; index++) {
      const entry = this.#entryAt(index);
      if (entry) yield entry;
    }
  }

  /** The entries of one record, the oldest first. */
  ofRecord({ objectName, recordId }: RecordRef): readonly StoredEntry[] {
    return [...(this.#entriesByObject.get(objectName)?.get(recordId) ?? [])];
  }

  /** The entries of one object, the oldest first. */
  ofObject(objectName: string): readonly StoredEntry[] {
    const entries = [...(this.#entriesByObject.get(objectName)?.values() ?? [])].flat();
    return entries.sort((a, b) => a.mutation.sequence - b.mutation.sequence);
  }

  /** Objects without entries stay: there are few of them. */
  #forget(entry: StoredEntry): void {
    const { objectName, recordId } = entry.mutation;
    const byRecord = this.#entriesByObject.get(objectName);
    const siblings = byRecord?.get(recordId) ?? [];
    if (siblings.length > 1) siblings.splice(siblings.indexOf(entry), 1);
    else byRecord?.delete(recordId);
  }

  #entryAt(index: number): StoredEntry | undefined {
    const slot = this.#order[index]?.mutation;
    const entry = slot && this.#entryById.get(slot.id);
    return entry?.mutation.sequence === slot?.sequence ? entry : undefined;
  }

  #passSettled(): void {
    while (this.#head < this.#order.length && !this.#entryAt(this.#head)) this.#head += 1;
    // Cut off when half of it is waste: each place is then moved at most once for each that was removed.
    if (this.#head * 2 < this.#order.length) return;
    this.#order = this.#order.slice(this.#head);
    this.#head = 0;
  }
}

/** Nearly always at the end: only what was appended while this entry was being stored stands behind it. */
function insert(entries: StoredEntry[], entry: StoredEntry): void {
  let index = entries.length;
  while (index > 0 && (entries[index - 1]?.mutation.sequence ?? 0) > entry.mutation.sequence) index -= 1;
  if (index === entries.length) entries.push(entry);
  else entries.splice(index, 0, entry);
}
