/** The order of one object's records. */
import type { RecordRef } from '@objectql/sync-types';

/** Numbers before texts, as IndexedDB sorts keys; UUIDv7 ids thus come in the order they were made. */
export function byId({ recordId: a }: RecordRef, { recordId: b }: RecordRef): number {
  if (a === b) return 0;
  return (typeof a === typeof b ? a < b : typeof a === 'number') ? -1 : 1;
}
