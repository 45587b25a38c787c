/** The order of one object's records. */
import type { RecordRef } from '@objectql/sync-types';

/** Numbers before texts, as IndexedDB sorts keys; UUIDv7 ids thus come in the order they were made. */
export function byId({ recordId: a }: RecordRef, { recordId: b }: RecordRef): number {
  if (a === b) return 0;
  return (typeof a === typeof b ? a < b : typeof a === 'number') ? -1 : 1;
}

/** Where the record is in a list that is in this order, or belongs. */
export function placeOf(ref: RecordRef, list: readonly RecordRef[]): number {
  let from = 0;
  let to = list.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    // Between the two there is a record.
    if (byId(list[middle] as RecordRef, ref) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}
