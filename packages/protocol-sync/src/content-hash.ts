/** A short name for what a mutation says, the same whatever order its fields stand in. */
import type { Json, MutationLogEntry } from '@objectql/sync-types';

/**
 * Names what a mutation says: object, record, operation and data. Its log, sequence and base are left out, because a
 * forked log renumbers what is pending and a restored server clears bases, and both keep the ids.
 *
 * 53 bits that keep nobody out: it is only compared with that of the same mutation id, so who makes two mutations of one id
 * with one hash is told of one's outcome for the other, and harms nobody else ([decision 22](../../../docs/adr/0022-a-content-hash-of-our-own.md)).
 */
export function contentHash({ objectName, recordId, operation, data }: MutationLogEntry): string {
  const state = new HashState();
  state.addText(objectName);
  state.addValue(recordId);
  state.addText(operation);
  state.addValue(data ?? null);
  return state.finish().toString(36);
}

/** Two lanes of 32 bits, multiplied and turned as in MurmurHash3 (public domain), by units of 16 bits. */
class HashState {
  #a = SEED_A;
  #b = SEED_B;

  addText(text: string): void {
    let [a, b] = [this.#a, this.#b];
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      a = Math.imul(a ^ unit, MULTIPLIER_A);
      b = Math.imul(b ^ unit, MULTIPLIER_B);
      a ^= a >>> 15;
    }
    this.#a = a;
    this.#b = b;
    // Where a text ends counts, or two neighbours could share one between them in several ways.
    this.#addNumber(text.length);
  }

  addValue(value: Json): void {
    // The kind counts: 1 is not "1".
    this.#addNumber(kindOf(value));
    if (typeof value === 'string') this.addText(value);
    else if (typeof value === 'number') this.addText(String(value));
    else if (typeof value === 'object' && value !== null) this.#addContainer(value);
  }

  #addContainer(value: readonly Json[] | { readonly [key: string]: Json }): void {
    if (isArray(value)) {
      for (const element of value) this.addValue(element);
      this.#addNumber(value.length);
    } else this.#addFields(value);
  }

  /** Each field is hashed by itself and the sum is added, which no order changes. */
  #addFields(fields: { readonly [key: string]: Json }): void {
    const [a, b] = [this.#a, this.#b];
    let [sumA, sumB] = [0, 0];
    for (const key of Object.keys(fields)) {
      this.#a = SEED_A;
      this.#b = SEED_B;
      this.addText(key);
      this.addValue(fields[key] ?? null);
      sumA = (sumA + spread(this.#a)) | 0;
      sumB = (sumB + spread(this.#b)) | 0;
    }
    this.#a = a;
    this.#b = b;
    this.#addNumber(sumA);
    this.#addNumber(sumB);
  }

  #addNumber(value: number): void {
    this.#a = spread(Math.imul(this.#a ^ value, MULTIPLIER_A));
    this.#b = spread(Math.imul(this.#b ^ value, MULTIPLIER_B));
  }

  /** A safe integer of 53 bits. */
  finish(): number {
    return (spread(this.#b) >>> 11) * 2 ** 32 + (spread(this.#a) >>> 0);
  }
}

/** Lets every bit count for every other: MurmurHash3's last steps. */
function spread(lane: number): number {
  let mixed = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

function kindOf(value: Json): number {
  if (value === null) return 1;
  if (value === true) return 2;
  if (value === false) return 3;
  if (typeof value === 'number') return 4;
  if (typeof value === 'string') return 5;
  return isArray(value) ? 6 : 7;
}

/** `Array.isArray`, which does not know that a readonly array is one. */
function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

const SEED_A = 0x2d358dcc;
const SEED_B = 0x1b873593;
const MULTIPLIER_A = 0xcc9e2d51;
const MULTIPLIER_B = 0x01000193;
