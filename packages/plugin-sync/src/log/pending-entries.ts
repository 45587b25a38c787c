/** The entries that are not settled yet, in the order of their sequences; every operation costs what it touches. */
import type { RecordRef } from '@objectql/sync-types';
import { RecordMap } from '../records/record-map.js';
import type { StoredEntry } from '../storage/client-storage.js';

/** Where an entry is kept: its id is looked up on the way in and out, and nowhere between. */
interface Place {
  /** `undefined` once it is gone or was numbered anew. */
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
  /** Holds all that are not durable; those that became so, or went, are left out when somebody asks. */
  #unsaved: Place[] = [];
  readonly #placeById = new Map<string, Place>();
  readonly #placesByRecord = new RecordMap<Place[]>();
  /** How far into `#order` the maps go. They learn of the rest when somebody asks them, whom a mere log may never have. */
  #known = 0;

  get size(): number {
    return this.#size;
  }

  /** The entry as it is now; with the sequence that it last had, it is found without a map. */
  get(id: string, sequence?: number): StoredEntry | undefined {
    return this.#find(id, sequence)?.entry;
  }

  /** True for an entry that the storage has as it is. */
  isDurable(id: string): boolean {
    return this.#find(id)?.isDurable ?? false;
  }

  /** Adds an entry that is not durable, whose id is new and whose sequence is the highest. */
  append(entry: StoredEntry): void {
    this.#insert(entry);
  }

  /** Adds an entry that is not durable, at the place its sequence gives it, or replaces the one of its id. */
  put(entry: StoredEntry): void {
    this.#place(entry);
  }

  /** The same for an entry that the storage has as it is. */
  putDurable(entry: StoredEntry): void {
    this.#place(entry).isDurable = true;
  }

  /** What the storage has not got as it is now, the oldest first. */
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
    // Cut off when half of it is waste: each place is then moved at most once for each that was removed.
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

  /** The entries that the storage has as they are, the oldest first, up to the first that it has not. */
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

  /** Puts the entry in its place. */
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

  /** The oldest, and what stands as far behind it as its sequence says, are found without a map: what a server has. */
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
    // Ids are unique, unless the platform the application brought makes them badly: then the later one stands for both.
    const twin = this.#placeById.get(mutation.id);
    if (twin) this.#vacate(twin);
    this.#placeById.set(mutation.id, place);
    const siblings = this.#placesByRecord.get(mutation);
    if (siblings) insert(siblings, place);
    else this.#placesByRecord.set(mutation, [place]);
  }
}

function entriesIn(places: readonly Place[]): readonly StoredEntry[] {
  // Where a record's places are listed, or those that are not durable, none is left without its entry.
  return places.map(({ entry }) => entry as StoredEntry);
}

/** Nearly always at the end: only what was appended while this entry was being stored stands behind it. Returns where. */
function insert(places: Place[], place: Place): number {
  let index = places.length;
  while (index > 0 && (places[index - 1]?.sequence ?? 0) > place.sequence) index -= 1;
  if (index === places.length) places.push(place);
  else places.splice(index, 0, place);
  return index;
}
