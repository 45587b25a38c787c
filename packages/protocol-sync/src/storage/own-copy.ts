/** Copies that a store may keep or give away, so that nobody can change what it holds. */
import type { Json, JsonObject, MutationLogEntry } from '@objectql/sync-types';

/** A deep copy of a JSON value. Several times faster than `structuredClone`, which must handle any kind of value. */
export function ownCopy<T>(value: T): T {
  // A copy has the type of the original.
  return copyOf(value) as T;
}

/** The same for a record's data, whose fields mostly hold nothing that has to be copied. */
export function ownFields(data: JsonObject): JsonObject {
  const copy: Record<string, Json> = { ...data };
  for (const field of Object.keys(copy)) {
    const value = copy[field];
    if (typeof value === 'object' && value !== null) copy[field] = ownCopy(value);
  }
  return copy;
}

/** The same for a mutation that is shown to an application, which may change its copy. */
export function ownMutation(mutation: MutationLogEntry): MutationLogEntry {
  return mutation.data ? { ...mutation, data: ownFields(mutation.data) } : { ...mutation };
}

function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copyOf);
  const copy: Record<string, unknown> = {};
  // No key is `__proto__`, which would set the prototype: data with such a key is refused from clients, resolvers and
  // jobs.
  for (const [key, part] of Object.entries(value)) copy[key] = copyOf(part);
  return copy;
}
