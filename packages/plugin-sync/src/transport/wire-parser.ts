/**
 * Small parsers for values that come from outside, over the wire or from the application, and ways to put them together.
 * Written by hand, because a schema library would weigh more than the rest of the client; property tests hold the result
 * to the schemas of `sync-types`.
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

/** Gives a value its type, or throws a `WireProblem`. What it returns is not the caller's to change. */
export type Parser<T> = (value: unknown) => T;

/** Where a value is not what it has to be, and why. Tells kinds of values, never the values themselves. */
export class WireProblem extends Error {
  override readonly name = 'WireProblem';
  /** The way to the value, e.g. `.results[0].status`; it grows on the way out, so that a sound value costs no text. */
  path = '';
}

/** An object with a parser for each property of `T`. Properties that `T` does not name are left out of the result. */
export function shape<T extends object>(parsers: { readonly [Key in keyof T]-?: Parser<T[Key]> }): Parser<T> {
  // Object.entries forgets that each parser belongs to its key.
  const entries = Object.entries(parsers) as readonly [string, Parser<unknown>][];
  return (value) => {
    const object = anyObject(value);
    const parsed: Record<string, unknown> = {};
    let step = '';
    try {
      for (const [key, parse] of entries) {
        step = key;
        const property = parse(ownValue(object, key));
        if (property !== undefined) parsed[key] = property;
      }
    } catch (error) {
      throw behind(step, error);
    }
    // Each property of T was given by its own parser; only optional ones are missing.
    return parsed as T;
  };
}

/** An array of such values. */
export function listOf<T>(parse: Parser<T>): Parser<readonly T[]> {
  return (value) => anyList(value).map((element, index) => at(index, () => parse(element)));
}

/** An object with any keys and such values. */
export function mapOf<T>(parse: Parser<T>): Parser<Readonly<Record<string, T>>> {
  return (value) => {
    // Assigning to `__proto__` would change the result's prototype instead of adding a key.
    const entries = Object.entries(anyObject(value)).filter(([key]) => key !== '__proto__');
    return Object.fromEntries(entries.map(([key, element]) => [key, at(key, () => parse(element))]));
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
export const duration = rule<number>('a duration', (value) => Number.isFinite(value) && Number(value) >= 0);

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
  (value) => typeof value === 'string' && value !== '' && utf8Bytes(value) <= MAX_ID_BYTES && !BAD_TEXT.test(value),
);

/** An identifier, or a safe integer. */
export const recordId: Parser<RecordId> = (value) => (isInteger(value) ? value : identifier(value));

/** A point in time as ISO 8601 with seconds and a zone, on a day that exists. */
export const instant = rule<string>('a time like 2026-01-31T12:00:00.000Z', (value) => {
  const [, day, date] = (typeof value === 'string' && INSTANT.exec(value)) || [];
  return day !== undefined && (Number(date) <= 28 || new Date(day).getUTCDate() === Number(date));
});

const INSTANT =
  /^(\d{4}-(?:0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]))T(?:[01]\d|2[0-3])(?::[0-5]\d){2}(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** A record's fields: checked, copied and frozen in one walk, so that nobody has to walk them again. */
export const recordData: Parser<JsonObject> = (value) => {
  const fields = anyObject(value);
  if (Object.keys(fields).length > MAX_FIELDS) throw new WireProblem(`has more than ${MAX_FIELDS} fields`);
  // What is an object stays one, as JSON.
  return own(fields, MAX_JSON_DEPTH) as JsonObject;
};

/** A frozen copy of what JSON holds unchanged. A cycle has no end, so it always meets the limit of depth. */
function own(value: unknown, depthLeft: number): unknown {
  if (typeof value === 'string')
    return BAD_TEXT.test(value) ? refuse('a text with NUL or half a surrogate pair') : value;
  // Adding 0 turns -0, which JSON has not got, into 0.
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : refuse(value);
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value !== 'object') return refuse(value === undefined ? value : `a ${typeof value}`);
  if (depthLeft === 0) throw new WireProblem('is nested too deep, or refers to itself');
  if (Array.isArray(value)) {
    // By index, so that a hole in a sparse array is met as the `undefined` that it is.
    return Object.freeze(Array.from(value, (element, index) => at(index, () => own(element, depthLeft - 1))));
  }
  if (!isPlain(value)) return refuse(`a ${value.constructor?.name || 'class instance'}`);
  const copy: Record<string, unknown> = {};
  let step = '';
  try {
    for (const key of Object.keys(value)) {
      step = key;
      if (key === '__proto__' || BAD_TEXT.test(key)) refuse('behind a field name');
      copy[key] = own(ownValue(value, key), depthLeft - 1);
    }
  } catch (error) {
    throw behind(step, error);
  }
  return Object.freeze(copy);
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

/** A value for which `holds`. */
function rule<T>(expected: string, holds: (value: unknown) => boolean): Parser<T> {
  return (value) => {
    if (!holds(value)) throw new WireProblem(`${value === undefined ? 'is missing; it ' : ''}must be ${expected}`);
    // As was just found.
    return value as T;
  };
}

function refuse(found: unknown): never {
  throw new WireProblem(`is ${found}, which JSON cannot keep unchanged`);
}

/** What `parse` returns; a problem in it is one behind this step. */
function at<T>(step: string | number, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw behind(step, error);
  }
}

function behind(step: string | number, error: unknown): unknown {
  if (error instanceof WireProblem) error.path = (typeof step === 'number' ? `[${step}]` : `.${step}`) + error.path;
  return error;
}
