/** The entries that are not settled yet, in the order of their sequences; every operation costs what it touches. */
import { RecordMap, type RecordRef } from '@objectql/sync-types';
import type { StoredEntry } from '../storage/client-storage.js';

/** Where an entry is kept: its id is looked up only when the entry comes and goes. */
interface Place {
  /** `undefined` once the entry was removed or renumbered. */
  entry: StoredEntry | undefined;
  readonly sequence: number;
  isDurable: boolean;
}

/** What is to be saved. */
export interface Unsaved {
  readonly entries: readonly StoredEntry[];
  /** Call it when the storage has them. */
  readonly saved: () => void;
}

export class PendingEntries {
  /** By rising sequence. A place without an entry stays until the head has passed it. */
  #order: Place[] = [];
  #head = 0;
  #size = 0;
  /** Holds all places that are not durable. Those that became durable, or empty, are filtered out when asked for. */
  #unsaved: Place[] = [];
  readonly #placeById = new Map<string, Place>();
  readonly #placesByRecord = new RecordMap<Place[]>();
  /** How far into `#order` the maps go. They are filled when somebody needs them; a mere log may never need them. */
  #known = 0;

  get size(): number {
    return this.#size;
  }

  /** The entry as it is now; given its last sequence, it is found without a map. */
  get(id: string, sequence?: number): StoredEntry | undefined {
    return this.#find(id, sequence)?.entry;
  }

  /** True when the storage has the entry as it is now; `undefined` when there is none. */
  isDurable(id: string): boolean | undefined {
    return this.#find(id)?.isDurable;
  }

  /** Adds an entry that is not durable, whose id is new and whose sequence is the highest. */
  append(entry: StoredEntry): void {
    this.#insert(entry);
  }

  /** Adds an entry that is not durable, in the order of sequences, or replaces the one with its id. */
  put(entry: StoredEntry): void {
    this.#place(entry);
  }

  /** The same for an entry that is durable as it is. */
  putDurable(entry: StoredEntry): void {
    this.#place(entry).isDurable = true;
  }

  /** The entries that are not durable as they are now, the oldest first. */
  unsaved(): Unsaved {
    const places = this.#unsaved.filter(({ entry, isDurable }) => entry && !isDurable);
    this.#unsaved = [...places];
    const saved = () => {
      for (const place of places) place.isDurable = true;
    };
    return { entries: entriesIn(places), saved };
  }

  /** True when it was there. */
  remove(id: string): boolean {
    const place = this.#find(id);
    if (!place) return false;
    this.#vacate(place);
    while (this.#head < this.#order.length && !this.#order[this.#head]?.entry) this.#head += 1;
    // Cut off when half of it is waste: so each removal moves at most one place.
    if (this.#head * 2 >= this.#order.length) {
      this.#order = this.#order.slice(this.#head);
      this.#known = Math.max(0, this.#known - this.#head);
      this.#head = 0;
    }
    return true;
  }

  /** All entries, the oldest first. */
  *[Symbol.iterator](): Iterator<StoredEntry> {
    for (let index = this.#head; index < this.#order.length; index++) {
      const entry = this.#order[index]?.entry;
      if (entry) yield entry;
    }
  }

  /** The durable entries, the oldest first, up to the first that is not durable. */
  *durable(): Generator<StoredEntry> {
    for (let index = this.#head; index < this.#order.length; index++) {
      const { entry, isDurable } = this.#order[index] as Place;
      if (entry && !isDurable) return;
      if (entry) yield entry;
    }
  }

  /** The entries of one record, the oldest first. */
  ofRecord(ref: RecordRef): readonly StoredEntry[] {
    this.#learnAll();
    return entriesIn(this.#placesByRecord.get(ref) ?? []);
  }

  /** The entries of one object, the oldest first. */
  ofObject(objectName: string): readonly StoredEntry[] {
    this.#learnAll();
    const places = this.#placesByRecord.values(objectName).flat();
    return entriesIn(places.sort((a, b) => a.sequence - b.sequence));
  }

  #place(entry: StoredEntry): Place {
    const { id, sequence } = entry.mutation;
    const before = this.#find(id);
    if (before?.sequence === sequence) {
      before.entry = entry;
      return before;
    }
    if (before) this.#vacate(before);
    return this.#insert(entry);
  }

  #insert(entry: StoredEntry): Place {
    const place = { entry, sequence: entry.mutation.sequence, isDurable: false };
    this.#size += 1;
    this.#unsaved.push(place);
    if (insert(this.#order, place) < this.#known) {
      this.#learn(place);
      this.#known += 1;
    }
    return place;
  }

  #vacate(place: Place): void {
    if (!place.entry) return;
    const { mutation } = place.entry;
    place.entry = undefined;
    this.#size -= 1;
    if (!this.#placeById.delete(mutation.id)) return;
    const siblings = this.#placesByRecord.get(mutation) ?? [];
    if (siblings.length > 1) siblings.splice(siblings.indexOf(place), 1);
    else this.#placesByRecord.delete(mutation);
  }

  /** Guesses the place by its distance from the oldest entry: this finds what a server has answered without a map. */
  #find(id: string, sequence?: number): Place | undefined {
    const first = this.#order[this.#head];
    const guess = first && sequence !== undefined ? this.#order[this.#head + sequence - first.sequence] : first;
    if (guess?.entry?.mutation.id === id) return guess;
    this.#learnAll();
    return this.#placeById.get(id);
  }

  #learnAll(): void {
    for (; this.#known < this.#order.length; this.#known++) this.#learn(this.#order[this.#known]);
  }

  #learn(place: Place | undefined): void {
    if (!place?.entry) return;
    const { mutation } = place.entry;
    // Ids are unique, unless the application's own platform makes bad ones: then the later entry replaces the earlier.
    const twin = this.#placeById.get(mutation.id);
    if (twin) this.#vacate(twin);
    this.#placeById.set(mutation.id, place);
    const siblings = this.#placesByRecord.get(mutation);
    if (siblings) insert(siblings, place);
    else this.#placesByRecord.set(mutation, [place]);
  }
}

function entriesIn(places: readonly Place[]): readonly StoredEntry[] {
  // No caller passes a place without an entry.
  return places.map(({ entry }) => entry as StoredEntry);
}

/** Returns the index. Nearly always the end: only entries appended while this one was being stored come behind it. */
function insert(places: Place[], place: Place): number {
  let index = places.length;
  while (index > 0 && (places[index - 1]?.sequence ?? 0) > place.sequence) index -= 1;
  if (index === places.length) places.push(place);
  else places.splice(index, 0, place);
  return index;
}
