/** JSON values: which may be stored and sent, how two of them compare, and what is wrong with other values. */

/** Any JSON value. */
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
 * Path and problem read as a sentence: `$.tags[2].at is a Date, not a plain object`.
 * Refuses what `JSON.stringify` would drop, change or throw at (`undefined`, `NaN`, `Date`, `BigInt`, functions, symbol
 * keys, class instances, cycles), what stores disagree on (NUL, lone surrogates), and the key `__proto__`.
 */
export function findJsonProblem(value: unknown, limits: JsonLimits): JsonProblem | undefined {
  const found = inspect(value, limits.maxDepth);
  return found && { path: `$${found.path}`, problem: found.problem };
}

/** Why stores would not all keep a string alike, if there is a reason; also for ids and names. */
export function stringProblem(value: string): string | undefined {
  if (value.includes('\u0000')) return 'contains a NUL character';
  return isWellFormed(value) ? undefined : 'contains half of a surrogate pair';
}

/**
 * Uses the platform's own method, which has the answer at hand for most strings; the pattern is for older platforms.
 */
function isWellFormed(value: string): boolean {
  // The method is newer than the library of types that this is compiled against.
  const text = value as string & { isWellFormed?: () => boolean };
  return text.isWellFormed?.() ?? !LONE_SURROGATE.test(value);
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Paths are built only on the way out from a problem, so that a sound value costs no strings. */
function inspect(value: unknown, depthLeft: number): JsonProblem | undefined {
  switch (typeof value) {
    case 'boolean':
      return undefined;
    case 'string':
      return problemWith(value);
    case 'number':
      return Number.isFinite(value) ? undefined : { path: '', problem: `is ${value}, which JSON has no number for` };
    case 'object':
      return value === null ? undefined : inspectContainer(value, depthLeft);
    case 'undefined':
      return { path: '', problem: 'is undefined, which JSON cannot hold; leave it out or use null' };
    default:
      return { path: '', problem: `is a ${typeof value}, which JSON cannot hold` };
  }
}

function inspectContainer(value: object, depthLeft: number): JsonProblem | undefined {
  // A cycle has no end, so it always meets this limit; no set of visited objects is needed.
  if (depthLeft === 0) return { path: '', problem: 'is nested too deep, or refers to itself' };
  return Array.isArray(value) ? inspectArray(value, depthLeft) : inspectObject(value, depthLeft);
}

function inspectArray(array: readonly unknown[], depthLeft: number): JsonProblem | undefined {
  // By index, so that a hole in a sparse array is seen as `undefined`, which JSON would turn into null.
  for (let index = 0; index < array.length; index++) {
    const found = inspect(array[index], depthLeft - 1);
    if (found) return within(`[${index}]`, found);
  }
  return undefined;
}

function inspectObject(object: object, depthLeft: number): JsonProblem | undefined {
  if (!isPlain(object)) {
    return { path: '', problem: `is a ${object.constructor?.name || 'class instance'}, not a plain object` };
  }
  if (Object.getOwnPropertySymbols(object).length > 0) {
    return { path: '', problem: 'has a symbol for a key, which JSON cannot hold' };
  }
  for (const key of Object.keys(object)) {
    if (key === '__proto__') return { path: '.__proto__', problem: 'is a field name that objects cannot carry safely' };
    const found = problemWith(key) ?? inspect(ownValue(object, key), depthLeft - 1);
    if (found) return within(`.${key}`, found);
  }
  return undefined;
}

/** Judged by shape, not by identity: an object from another frame or worker realm has another `Object.prototype`. */
function isPlain(object: object): boolean {
  const prototype = Object.getPrototypeOf(object);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function problemWith(text: string): JsonProblem | undefined {
  const problem = stringProblem(text);
  return problem === undefined ? undefined : { path: '', problem };
}

function within(step: string, found: JsonProblem): JsonProblem {
  return { path: step + found.path, problem: found.problem };
}
