/** Indexes things by their place in the feed, to read them in order from anywhere. */

/** 256 places a bucket: few enough to look through, and removing an emptied bucket stays cheap. */
const BUCKET_PLACES = 256;

/** The things of one stretch of places, in order, with holes where some were removed. */
interface Bucket<T> {
  readonly places: number[];
  readonly things: (T | undefined)[];
  /** How many are left. */
  size: number;
}

/**
 * Holds things whose places only ever rise. Reading costs only what is read: a bucket is dropped with its last thing,
 * so however often things moved to a later place, only the start of the first bucket has to be skipped.
 */
export class PlaceIndex<T extends { readonly place: number }> {
  /** The stretch of each bucket, ascending. */
  readonly #numbers: number[] = [];
  readonly #buckets: Bucket<T>[] = [];

  /** How many stretches of the feed hold something: a full read steps through all of them. */
  get bucketCount(): number {
    return this.#buckets.length;
  }

  /** Adds something at a place above all earlier ones. */
  add(thing: T): void {
    const number = bucketNumber(thing.place);
    const last = this.#buckets.at(-1);
    if (last && this.#numbers.at(-1) === number) {
      last.places.push(thing.place);
      last.things.push(thing);
      last.size += 1;
    } else {
      this.#numbers.push(number);
      this.#buckets.push({ places: [thing.place], things: [thing], size: 1 });
    }
  }

  /** Removes what is at a place, if anything is. */
  remove(place: number): void {
    const at = indexOf(this.#numbers, bucketNumber(place));
    const bucket = this.#buckets[at];
    if (!bucket) return;
    const index = indexOf(bucket.places, place);
    if (bucket.places[index] !== place || !bucket.things[index]) return;
    bucket.things[index] = undefined;
    bucket.size -= 1;
    if (bucket.size > 0) return;
    this.#numbers.splice(at, 1);
    this.#buckets.splice(at, 1);
  }

  /** Yields the things at higher places than `place`, in order. */
  *after(place: number): Generator<T> {
    for (let index = firstFrom(this.#numbers, bucketNumber(place)); index < this.#buckets.length; index++) {
      for (const thing of this.#buckets[index]?.things ?? []) if (thing && thing.place > place) yield thing;
    }
  }
}

/** Merges several sequences, each in order of places, into one in order of places. */
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

/** Index of the first of the ascending `values` that is not below `value`: usually its distance from the first one. */
function indexOf(values: readonly number[], value: number): number {
  const guess = value - (values[0] ?? 0);
  return values[guess] === value ? guess : firstFrom(values, value);
}

/** Index of the first of the ascending `values` that is not below `least`. */
function firstFrom(values: readonly number[], least: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] ?? Number.POSITIVE_INFINITY) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
