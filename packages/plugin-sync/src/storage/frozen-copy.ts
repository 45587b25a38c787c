/** Copies that nobody can change: what lets a storage in memory hand out its own values. */

/** A deep copy of a JSON value, frozen through and through. */
export function frozenCopy<T>(value: T): T {
  // A JSON value survives this trip unchanged, so the copy has the type of the original.
  return frozen(JSON.parse(JSON.stringify(value)) as T);
}

/** The same JSON value, frozen through and through. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}
