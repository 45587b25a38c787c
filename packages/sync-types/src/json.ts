/** JSON values: what may be stored and sent, how two of them compare, and what is wrong with a value that is neither. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
/** A record's fields, or the fields a mutation changes. */
export type JsonObject = { readonly [field: string]: Json };

/** Where a value stops being storable JSON, as a path like `$.tags[2].at`, and why. */
export interface JsonProblem {
  readonly path: string;
  readonly problem: string;
}

export interface JsonLimits {
  /** Deepest nesting of arrays and objects; a flat object has depth 1. */
  readonly maxDepth: number;
}

/**
 * True when two JSON values are the same: objects by their keys in any order, arrays element by element.
 * Written here because the usual libraries compare `a.constructor`, so a field named `constructor` fools them.
 */
export function jsonEquals(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((element, index) => jsonEquals(element, b[index]));
  }
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && jsonEquals(ownValue(a, key), ownValue(b, key)));
}

/** An object's own value, never one inherited from a prototype: a record may have a field named `constructor`. */
export function ownValue(object: object, key: string): unknown {
  return Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined;
}

/**
 * The first thing that keeps a value from being stored and sent as JSON unchanged, or `undefined` when nothing does.
 * Refuses what `JSON.stringify` would drop, change or throw at (`undefined`, `NaN`, `Date`, `BigInt`, functions, class
 * instances, cycles), what stores disagree on (NUL, lone surrogates), and the key `__proto__`.
 */
export function findJsonProblem(value: unknown, limits: JsonLimits): JsonProblem | undefined {
  return inspect(value, '$', limits.maxDepth);
}

function inspect(value: unknown, path: string, depthLeft: number): JsonProblem | undefined {
  switch (typeof value) {
    case 'boolean':
      return undefined;
    case 'string':
      return stringProblem(value, path);
    case 'number':
      return Number.isFinite(value) ? undefined : { path, problem: `${value} is not a JSON number` };
    case 'object':
      return value === null ? undefined : inspectContainer(value, path, depthLeft);
    default:
      return { path, problem: `a ${typeof value} is not JSON` };
  }
}

function inspectContainer(value: object, path: string, depthLeft: number): JsonProblem | undefined {
  // A cycle has no end, so it always meets this limit; no set of visited objects is needed.
  if (depthLeft === 0) return { path, problem: 'is nested too deep, or refers to itself' };
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const found = inspect(value[index], `${path}[${index}]`, depthLeft - 1);
      if (found) return found;
    }
    return undefined;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    return { path, problem: `a ${value.constructor?.name ?? 'class instance'} is not a plain object` };
  }
  for (const key of Object.keys(value)) {
    const found =
      key === '__proto__'
        ? { path, problem: 'a field may not be named __proto__' }
        : (stringProblem(key, `${path}.${key}`) ?? inspect(ownValue(value, key), `${path}.${key}`, depthLeft - 1));
    if (found) return found;
  }
  return undefined;
}

/** Says what keeps a string from being stored alike everywhere; also used for ids and names. */
export function stringProblem(value: string, path: string): JsonProblem | undefined {
  if (value.includes('\u0000')) return { path, problem: 'contains a NUL character' };
  if (LONE_SURROGATE.test(value)) return { path, problem: 'contains half of a surrogate pair' };
  return undefined;
}

const LONE_SURROGATE = /\p{Surrogate}/u;
