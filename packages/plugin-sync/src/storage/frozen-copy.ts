/** Copies that nobody can change, so that a storage in memory can hand out its own values. */

/**
 * A deep, deeply frozen copy of a JSON value; properties that are `undefined` are left out. Parts that are such copies
 * already are shared.
 */
export function frozenCopy<T>(value: T): T {
  // A copy has the type of the original.
  return copyOf(value) as T;
}

/** The same JSON value, deeply frozen. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}

/** The lists that their makers vouch for: checking their content would cost as much as making it did. */
const vouched = new WeakSet<object>();

/** Marks a list whose content the caller knows to be deeply frozen: `frozenCopy` shares it without a check. */
export function vouch<T>(list: readonly T[]): readonly T[] {
  vouched.add(list);
  return list;
}

function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || vouched.has(value) || isFrozen(value)) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(copyOf));
  const copy: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value)) if (part !== undefined) copy[key] = copyOf(part);
  return Object.freeze(copy);
}

function isFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value !== undefined;
  if (!Object.isFrozen(value)) return false;
  for (const key in value) if (!isFrozen((value as Readonly<Record<string, unknown>>)[key])) return false;
  return true;
}
