/** The simulation's own way to name records, so that a mistake in the product's cannot hide here. */
import type { RecordId } from '@objectql/sync-types';

/** A different text for each record, e.g. `task/a`, `task#1` for the number. */
export function nameOf({ objectName, recordId }: { readonly objectName: string; readonly recordId: RecordId }): string {
  return `${objectName}${typeof recordId === 'number' ? '#' : '/'}${recordId}`;
}

/** Whether two JSON values are equal, whatever the order of their keys. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const [left, right] = [Object.entries(a), new Map(Object.entries(b))];
  return left.length === right.size && left.every(([key, value]) => right.has(key) && isSame(value, right.get(key)));
}
