/** Things by their place in the feed, for reading them in order from anywhere. */

/** 256 places a bucket: few enough to look through, and removing an emptied bucket stays cheap. */
const BUCKET_PLACES = 256;

/**
 * Holds things whose places only ever rise. Reading costs what is read: a bucket is dropped with its last thing, so
 * however often things moved to a later place, nothing has to be stepped over but the start of the first bucket.
 */
export class PlaceIndex<T extends { readonly place: number }> {
  readonly #bucketByNumber = new Map<number, Map<number, T>>();
  /** Ascending. */
  readonly #numbers: number[] = [];

  /** How many stretches of the feed hold something: what reading it all steps through. */
  get bucketCount(): number {
    return this.#numbers.length;
  }

  /** Adds something at a place above all that were added before. */
  add(thing: T): void {
    const number = bucketNumber(thing.place);
    const bucket = this.#bucketByNumber.get(number);
    if (bucket) {
      bucket.set(thing.place, thing);
    } else {
      this.#bucketByNumber.set(number, new Map([[thing.place, thing]]));
      this.#numbers.push(number);
    }
  }

  /** Removes what is at a place, if anything is. */
  remove(place: number): void {
    const number = bucketNumber(place);
    const bucket = this.#bucketByNumber.get(number);
    if (!bucket?.delete(place) || bucket.size > 0) return;
    this.#bucketByNumber.delete(number);
    this.#numbers.splice(this.#indexOf(number), 1);
  }

  /** Yields what is at higher places than `place`, in order. */
  *after(place: number): Generator<T> {
    for (let index = this.#indexOf(bucketNumber(place)); index < this.#numbers.length; index++) {
      const bucket = this.#bucketByNumber.get(this.#numbers[index] ?? Number.NaN);
      // A map yields in the order of adding, which is the order of places.
      for (const thing of bucket?.values() ?? []) if (thing.place > place) yield thing;
    }
  }

  /** Index of the first bucket with this number or a higher one. */
  #indexOf(number: number): number {
    let low = 0;
    let high = this.#numbers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#numbers[middle] ?? Number.POSITIVE_INFINITY) < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Yields what several sequences, each in order of places, hold together, in order of places. */
export function* mergeByPlace<T extends { readonly place: number }>(sequences: readonly Iterator<T>[]): Generator<T> {
  const heads = sequences.map((sequence) => ({ sequence, next: sequence.next() }));
  for (;;) {
    let first: (typeof heads)[number] | undefined;
    for (const head of heads) {
      if (!head.next.done && (!first || head.next.value.place < first.next.value.place)) first = head;
    }
    if (!first) return;
    yield first.next.value;
    first.next = first.sequence.next();
  }
}

function bucketNumber(place: number): number {
  return Math.floor(place / BUCKET_PLACES);
}
