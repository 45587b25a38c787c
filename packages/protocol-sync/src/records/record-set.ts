/** A set of records. */
import { RecordMap, type RecordRef } from '@objectql/sync-types';

export class RecordSet {
  readonly #isIn = new RecordMap<true>();

  has(ref: RecordRef): boolean {
    return this.#isIn.get(ref) === true;
  }

  /** True when it is new. */
  add(ref: RecordRef): boolean {
    const isNew = !this.has(ref);
    this.#isIn.set(ref, true);
    return isNew;
  }
}
