/** A short name for what a mutation says, whatever the order of its fields. */
import type { Json, MutationLogEntry } from '@objectql/sync-types';

/**
 * Names what a mutation says, and who says it: principal, object, record, operation and data. Its log, sequence and base
 * are left out, because a forked log renumbers pending mutations and a restored server clears bases, and both keep the
 * ids. The principal counts because changes tell others the ids: who sends one of them again with what its author may
 * have said would learn whether that is true.
 *
 * A safe integer of 53 bits, which is no protection against attackers. It is only compared with the hash of the same
 * mutation id: a client that makes two mutations with one id and one hash is told the outcome of one for the other, and
 * harms nobody else ([decision 22](../../../../docs/adr/0022-a-content-hash-of-our-own.md)).
 */
export function contentHash(
  { objectName, recordId, operation, data }: MutationLogEntry,
  principal: string | null,
): number {
  lanes.reset();
  if (principal !== null) lanes.addText(principal);
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
 * Two lanes of 32 bits, multiplied and rotated as in MurmurHash3 (public domain), in units of 16 bits. The constants
 * are written inline: read from variables they cost more than all the arithmetic.
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
    // The length counts, or the same characters could be split between two neighbours in several ways.
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

  /** Hashes each field by itself and adds the sum, which does not depend on the order. */
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

  /** Mixes the lanes, so that a difference in the low bits of one soon spreads to all bits of both. */
  #addInteger(value: number): void {
    const a = Math.imul(this.#a ^ value, 0x85ebca6b);
    const b = Math.imul(this.#b ^ value, 0xc2b2ae35);
    this.#a = a ^ (b >>> 16);
    this.#b = b ^ (a >>> 13);
  }
}

/** One for all: no code waits between `reset` and `finish`. */
const lanes = new Lanes();

/** Makes every bit depend on every other: MurmurHash3's last steps. */
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

/** Like `Array.isArray`, which TypeScript does not apply to readonly arrays. */
function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
