/** Which records a storage may have that was new when this client opened it. */
import { type RecordRef, recordKey } from '@objectql/sync-types';

/**
 * To ask a browser's storage for each record of a first sync, which it does not have, takes a quarter of that sync. A bit
 * for each in a megabyte takes one of 80 for a stored one after 100,000 records, and one of nine after a million.
 */
export class SeenRecords {
  #bits: Uint8Array | undefined;
  #isOver = false;

  /** False only for a record that was never added. */
  mayHave(ref: RecordRef): boolean {
    const place = placeOf(ref);
    return this.#isOver || ((this.#bits?.[place >> 3] ?? 0) & (1 << (place & 7))) > 0;
  }

  add(refs: readonly RecordRef[]): void {
    if (this.#isOver) return;
    this.#bits ??= new Uint8Array(1 << 20);
    for (const place of refs.map(placeOf)) this.#bits[place >> 3] = (this.#bits[place >> 3] ?? 0) | (1 << (place & 7));
  }

  /** From now on it may have any record. */
  forget(): void {
    this.#isOver = true;
    this.#bits = undefined;
  }
}

/** One of 2^23 places. */
function placeOf(ref: RecordRef): number {
  const key = recordKey(ref);
  let hash = 0;
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash, 31) + key.charCodeAt(at);
  return Math.imul(hash, -1_640_531_527) >>> 9;
}
