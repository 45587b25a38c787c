/** Copies that a store may keep, or give away, without anybody changing what it holds. */
import type { Json, JsonObject, MutationLogEntry } from '@objectql/sync-types';

/** A deep copy of a JSON value. Several times faster than `structuredClone`, which has to expect anything. */
export function ownCopy<T>(value: T): T {
  // A copy has the type of the original.
  return copyOf(value) as T;
}

/** The same of a record's data, whose fields mostly hold nothing that would have to be copied. */
export function ownFields(data: JsonObject): JsonObject {
  const copy: Record<string, Json> = { ...data };
  for (const field of Object.keys(copy)) {
    const value = copy[field];
    if (typeof value === 'object' && value !== null) copy[field] = ownCopy(value);
  }
  return copy;
}

/** The same of a mutation: what an application is shown, which may do with it what it likes. */
export function ownMutation(mutation: MutationLogEntry): MutationLogEntry {
  return mutation.data ? { ...mutation, data: ownFields(mutation.data) } : { ...mutation };
}

function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copyOf);
  const copy: Record<string, unknown> = {};
  // No key is `__proto__`, which would set the prototype: nothing that has one is taken, from clients, resolvers or jobs.
  for (const [key, part] of Object.entries(value)) copy[key] = copyOf(part);
  return copy;
}
