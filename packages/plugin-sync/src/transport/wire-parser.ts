/**
 * Small parsers for values from outside, from the wire or the application, and ways to combine them. Written by hand,
 * because a schema library would weigh more than the rest of the client; property tests hold them to the schemas of
 * `sync-types`.
 */
import {
  type JsonObject,
  MAX_FIELDS,
  MAX_ID_BYTES,
  MAX_JSON_DEPTH,
  ownValue,
  type RecordId,
  utf8Bytes,
} from '@objectql/sync-types';

/** Gives a value its type, or throws a `WireProblem`. The caller must not change the result. */
export type Parser<T> = (value: unknown) => T;

/** Where a value is wrong, and why. Names kinds of values, never the values themselves. */
export class WireProblem extends Error {
  override readonly name = 'WireProblem';
  /**
   * The path to the value, e.g. `.results[0].status`; it is built while the error passes up, so that a valid value
   * costs no text.
   */
  path = '';
}

/** Returns what `parse` returns; throws `errorOf` of a problem that it finds. */
export function parseOr<T>(parse: () => T, errorOf: (problem: WireProblem) => Error): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof WireProblem ? errorOf(error) : error;
  }
}

/** An object with a parser for each property of `T`. Properties that `T` does not name are left out of the result. */
export function shape<T extends object>(parsers: { readonly [Key in keyof T]-?: Parser<T[Key]> }): Parser<T> {
  const keys = Object.keys(parsers) as (keyof T & string)[];
  return (value) => {
    const object = anyObject(value);
    const whole: Partial<T> = {};
    let key = keys[0];
    try {
      for (key of keys) {
        const part = parsers[key](ownValue(object, key));
        if (part !== undefined) whole[key] = part;
      }
    } catch (error) {
      throw behind(key, error);
    }
    // Each property of T is given by its own parser; only optional ones are missing.
    return whole as T;
  };
}

/** An array of such values. */
export function listOf<T>(parse: Parser<T>): Parser<readonly T[]> {
  return (value) => parts(anyList(value), parse);
}

/** An object with any keys and such values; only the key that would change its prototype is left out. */
export function mapOf<T>(parse: Parser<T>): Parser<Readonly<Record<string, T>>> {
  return (value) => {
    const keys = Object.keys(anyObject(value)).filter((key) => key !== '__proto__');
    return shape<Record<string, T>>(Object.fromEntries(keys.map((key) => [key, parse])))(value);
  };
}

/** Such a value, or none. */
export function optional<T>(parse: Parser<T>): Parser<T | undefined> {
  return (value) => (value === undefined ? undefined : parse(value));
}

/** Such a value, or `null`. */
export function nullable<T>(parse: Parser<T>): Parser<T | null> {
  return (value) => (value === null ? null : parse(value));
}

/** One of these values. */
export function oneOf<T>(values: readonly T[]): Parser<T> {
  return rule(`one of ${values.join(', ')}`, (value) => values.includes(value as T));
}

/** An object that is no array. */
export const anyObject = rule<object>(
  'an object',
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);

const anyList = rule<readonly unknown[]>('a list', Array.isArray);

export const text = rule<string>('a text', (value) => typeof value === 'string');

export const flag = rule<boolean>('true or false', (value) => typeof value === 'boolean');

/** A finite number. */
export const number = rule<number>('a number', Number.isFinite);

/** A finite number that is not negative: a duration. */
export const duration = rule<number>('a duration from 0', (value) => Number.isFinite(value) && Number(value) >= 0);

/** A version or sequence: a safe integer that is not negative. */
export const counter = rule<number>('a whole number from 0', (value) => isInteger(value) && value >= 0);

/** A version, or `null`. */
export const version = rule<number | null>(
  'a whole number from 0, or null',
  (value) => value === null || (isInteger(value) && value >= 0),
);

/** A name or id that every store keeps unchanged: stores disagree on NUL and on halves of surrogate pairs. */
export const identifier = rule<string>(
  `a text of 1 to ${MAX_ID_BYTES} bytes without NUL or half a surrogate pair`,
  (value) => typeof value === 'string' && value !== '' && isShort(value) && !BAD_TEXT.test(value),
);

/** One unit of a text takes at most three bytes, so most ids need no counting. */
function isShort(text: string): boolean {
  return 3 * text.length <= MAX_ID_BYTES || utf8Bytes(text) <= MAX_ID_BYTES;
}

/** An identifier, or a safe integer; the sum makes 0 of -0. */
export const recordId: Parser<RecordId> = (value) => (isInteger(value) ? value + 0 : identifier(value));

/** A point in time as ISO 8601 with seconds and a zone, on a day that exists. */
export const instant = rule<string>('a time like 2026-01-31T12:00:00.000Z', (value) => {
  // Writes made together have one time, and checking it costs more than the rest of a change.
  if (value === lastInstant) return true;
  const [time = '', day = '', date] = (typeof value === 'string' && INSTANT.exec(value)) || [];
  // `Date` reads a day that does not exist as one of the next month.
  if (!Number.isFinite(Date.parse(time)) || new Date(day).getUTCDate() !== Number(date)) return false;
  lastInstant = time;
  return true;
});

let lastInstant: string | undefined;

const INSTANT = /^(\d{4}-\d\d-(\d\d))T(?!24)\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** A record's fields: checked, copied and frozen in one walk, so that nobody has to walk them again. */
export const recordData: Parser<JsonObject> = (value) => {
  const fields = anyObject(value);
  if (Object.keys(fields).length > MAX_FIELDS) throw new WireProblem(`has more than ${MAX_FIELDS} fields`);
  mostBytes = 0;
  // An object stays an object in the copy.
  return own(fields, MAX_JSON_DEPTH) as JsonObject;
};

/** The same, of at most so many bytes as JSON. */
export function recordDataWithin(maxBytes: number): Parser<JsonObject> {
  return (value) => {
    const data = recordData(value);
    // Only data near the limit is written out to measure it.
    const bytes = mostBytes > maxBytes ? utf8Bytes(JSON.stringify(data)) : 0;
    if (bytes > maxBytes) throw new WireProblem(`is ${bytes} bytes large; ${maxBytes} are the most`);
    return data;
  };
}

/**
 * At least as many bytes as the JSON of what was walked last: six for each unit of a text, as `\\u0001` takes. Module
 * state, because `own` returns the copy; parsing is synchronous.
 */
let mostBytes = 0;

/** A frozen copy of what JSON keeps unchanged. A cycle has no end, so it always meets the depth limit. */
function own(value: unknown, depthLeft: number): unknown {
  // 25: `-1.2345678901234567e-300`, and longer than any other value that is no text.
  mostBytes += typeof value === 'string' ? 6 * value.length + 2 : 25;
  if (typeof value === 'string')
    return BAD_TEXT.test(value) ? refuse('a text with NUL or half a surrogate pair') : value;
  // Adding 0 turns -0, which JSON does not have, into 0.
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : refuse(value);
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value !== 'object') return refuse(value === undefined ? value : `a ${typeof value}`);
  if (depthLeft === 0) throw new WireProblem('is nested too deep, or refers to itself');
  if (Array.isArray(value)) return Object.freeze(parts(value, (part) => own(part, depthLeft - 1)));
  if (!isPlain(value)) return refuse(`a ${value.constructor?.name || 'class instance'}`);
  const fields = value as Record<string, unknown>;
  // A wrapper of the transport may have frozen the answer.
  const whole = isInPlace && Object.isExtensible(fields) ? fields : {};
  let key = '';
  try {
    for (key of Object.keys(fields)) {
      if (key === '__proto__' || BAD_TEXT.test(key)) refuse('behind a field name');
      mostBytes += 6 * key.length + 4;
      const part = own(fields[key], depthLeft - 1);
      if (whole !== fields || !Object.is(part, fields[key])) whole[key] = part;
    }
  } catch (error) {
    throw behind(key, error);
  }
  return Object.freeze(whole);
}

/** Values that this client parsed from JSON itself, so that nobody else holds them. */
const claimed = new WeakSet<object>();
/** True while a claimed value is parsed: module state, so that no parser has to pass it on; parsing is synchronous. */
let isInPlace = false;

/** Marks a value that nobody else will change: its records are then frozen in place, not copied. */
export function claim<T>(value: T): T {
  claimed.add(Object(value));
  return value;
}

/** Parses a value that may be `claim`ed; only once, because a caller that passes it again still holds it. */
export function parseClaimed<T>(parse: Parser<T>, value: unknown): T {
  isInPlace = claimed.delete(Object(value));
  try {
    return parse(value);
  } finally {
    isInPlace = false;
  }
}

const BAD_TEXT = /[\0\p{Surrogate}]/u;

/** Judged by shape, not by identity: an object from another frame or worker realm has another `Object.prototype`. */
function isPlain(object: object): boolean {
  const prototype = Object.getPrototypeOf(object);
  return (
    (prototype === null || Object.getPrototypeOf(prototype) === null) &&
    Object.getOwnPropertySymbols(object).length === 0
  );
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/** A value that passes `holds`; `expected` names it in words. */
export function rule<T>(expected: string, holds: (value: unknown) => boolean): Parser<T> {
  return (value) => {
    if (!holds(value)) throw new WireProblem(`${value === undefined ? 'is missing; it ' : ''}must be ${expected}`);
    // `holds` has just checked it.
    return value as T;
  };
}

function refuse(found: unknown): never {
  throw new WireProblem(`is ${found}, which JSON cannot keep unchanged`);
}

/** What `parse` makes of each part. By index, so that a hole in a sparse list is parsed as `undefined`. */
function parts<T>(list: readonly unknown[], parse: Parser<T>): T[] {
  const parsed: T[] = [];
  try {
    for (let index = 0; index < list.length; index++) parsed.push(parse(list[index]));
  } catch (error) {
    throw behind(parsed.length, error);
  }
  return parsed;
}

/** Adds a step to the error's path: a key, or an index of a list. */
function behind(step: string | number | undefined, error: unknown): unknown {
  if (error instanceof WireProblem) error.path = (typeof step === 'number' ? `[${step}]` : `.${step}`) + error.path;
  return error;
}
