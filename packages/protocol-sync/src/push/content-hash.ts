/** A short name for what a mutation says, the same whatever order its fields stand in. */
import type { Json, MutationLogEntry } from '@objectql/sync-types';

/**
 * Names what a mutation says: object, record, operation and data. Its log, sequence and base are left out, because a
 * forked log renumbers what is pending and a restored server clears bases, and both keep the ids.
 *
 * A safe integer: 53 bits that keep nobody out. It is only compared with that of the same mutation id, so who makes two mutations of one id
 * with one hash is told of one's outcome for the other, and harms nobody else ([decision 22](../../../../docs/adr/0022-a-content-hash-of-our-own.md)).
 */
export function contentHash({ objectName, recordId, operation, data }: MutationLogEntry): number {
  lanes.reset();
  lanes.addText(objectName);
  lanes.addValue(recordId);
  lanes.addText(operation);
  lanes.addValue(data ?? null);
  return lanes.finish();
}

/** A short name for a text, of letters and digits. */
export function nameOfText(text: string): string {
  lanes.reset();
  lanes.addText(text);
  return lanes.finish().toString(36);
}

/**
 * Two lanes of 32 bits, multiplied and turned as in MurmurHash3 (public domain), by units of 16 bits. The constants stand
 * where they are used: read from variables they cost more than all the arithmetic.
 */
class Lanes {
  #a = 0;
  #b = 0;

  reset(): void {
    this.#a = 0x2d358dcc;
    this.#b = 0x1b873593;
  }

  addText(text: string): void {
    let a = this.#a;
    let b = this.#b;
    const { length } = text;
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index);
      a = Math.imul(a ^ unit, 0xcc9e2d51);
      b = Math.imul(b ^ unit, 0x01000193);
      a ^= a >>> 15;
    }
    this.#a = a;
    this.#b = b;
    // Where a text ends counts, or two neighbours could share one between them in several ways.
    this.#addInteger(length);
  }

  addValue(value: Json): void {
    // The kind counts: 1 is not "1".
    this.#addInteger(kindOf(value));
    if (typeof value === 'string') this.addText(value);
    else if (typeof value === 'number') this.#addNumber(value);
    else if (typeof value === 'object' && value !== null) this.#addContainer(value);
  }

  /** A safe integer of 53 bits. */
  finish(): number {
    return (spread(this.#b) >>> 11) * 2 ** 32 + (spread(this.#a) >>> 0);
  }

  #addContainer(value: readonly Json[] | { readonly [key: string]: Json }): void {
    if (isArray(value)) {
      for (const element of value) this.addValue(element);
      this.#addInteger(value.length);
    } else this.#addFields(value);
  }

  /** Each field is hashed by itself and the sum is added, which no order changes. */
  #addFields(fields: { readonly [key: string]: Json }): void {
    const a = this.#a;
    const b = this.#b;
    let sumA = 0;
    let sumB = 0;
    for (const key of Object.keys(fields)) {
      this.reset();
      this.addText(key);
      this.addValue(fields[key] ?? null);
      sumA = (sumA + spread(this.#a)) | 0;
      sumB = (sumB + spread(this.#b)) | 0;
    }
    this.#a = Math.imul(a ^ sumA, 0x85ebca6b);
    this.#b = Math.imul(b ^ sumB, 0xc2b2ae35);
  }

  #addNumber(value: number): void {
    if ((value | 0) === value) this.#addInteger(value);
    else this.addText(String(value));
  }

  /** Turned into each other, so that what differs in the low bits of one soon differs in all of both. */
  #addInteger(value: number): void {
    const a = Math.imul(this.#a ^ value, 0x85ebca6b);
    const b = Math.imul(this.#b ^ value, 0xc2b2ae35);
    this.#a = a ^ (b >>> 16);
    this.#b = b ^ (a >>> 13);
  }
}

/** One for all: nothing waits between its reset and its end. */
const lanes = new Lanes();

/** Lets every bit count for every other: MurmurHash3's last steps. */
function spread(lane: number): number {
  let mixed = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

function kindOf(value: Json): number {
  if (typeof value === 'string') return 1;
  if (typeof value === 'number') return 2;
  if (typeof value === 'boolean') return value ? 3 : 4;
  if (value === null) return 5;
  return isArray(value) ? 6 : 7;
}

/** `Array.isArray`, which does not know that a readonly array is one. */
function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
