/**
 * Small parsers for values that came over the wire, and ways to put them together. Written by hand, because a schema
 * library would weigh more than the rest of the client; a property test holds the result to the schemas of `sync-types`.
 */
import {
  findJsonProblem,
  type JsonObject,
  MAX_FIELDS,
  MAX_ID_BYTES,
  MAX_JSON_DEPTH,
  ownValue,
  type RecordId,
  stringProblem,
  utf8Bytes,
} from '@objectql/sync-types';

/** Gives a value its type, or throws a `WireProblem` that says where it is (`at`) and what is wrong with it. */
export type Parser<T> = (value: unknown, at: string) => T;

/** Where a value is not what it has to be, and why. Tells kinds of values, never the values themselves. */
export class WireProblem extends Error {
  override readonly name = 'WireProblem';
}

/** An object with a parser for each property of `T`. Properties that `T` does not name are left out of the result. */
export function shape<T extends object>(parsers: { readonly [Key in keyof T]-?: Parser<T[Key]> }): Parser<T> {
  // Object.entries forgets that each parser belongs to its key.
  const entries = Object.entries(parsers) as readonly [string, Parser<unknown>][];
  return (value, at) => {
    const object = anyObject(value, at);
    const parsed: Record<string, unknown> = {};
    for (const [key, parse] of entries) {
      const property = parse(ownValue(object, key), `${at}.${key}`);
      if (property !== undefined) parsed[key] = property;
    }
    // Each property of T was given by its own parser; only optional ones are missing.
    return parsed as T;
  };
}

/** An array of such values. */
export function listOf<T>(parse: Parser<T>): Parser<readonly T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) throw problem(at, 'a list', value);
    return value.map((element, index) => parse(element, `${at}[${index}]`));
  };
}

/** An object with any keys and such values. */
export function mapOf<T>(parse: Parser<T>): Parser<Readonly<Record<string, T>>> {
  return (value, at) => {
    // Assigning to `__proto__` would change the result's prototype instead of adding a key.
    const keys = Object.keys(anyObject(value, at)).filter((key) => key !== '__proto__');
    return Object.fromEntries(keys.map((key) => [key, parse(ownValue(Object(value), key), `${at}.${key}`)]));
  };
}

/** Such a value, or none. */
export function optional<T>(parse: Parser<T>): Parser<T | undefined> {
  return (value, at) => (value === undefined ? undefined : parse(value, at));
}

/** Such a value, or `null`. */
export function nullable<T>(parse: Parser<T>): Parser<T | null> {
  return (value, at) => (value === null ? null : parse(value, at));
}

/** One of these values. */
export function oneOf<T extends string | number>(values: readonly T[]): Parser<T> {
  return (value, at) => {
    const found = values.find((one) => one === value);
    if (found === undefined) throw problem(at, `one of ${values.join(', ')}`, value);
    return found;
  };
}

/** An object that is no array. */
export const anyObject: Parser<object> = (value, at) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw problem(at, 'an object', value);
  return value;
};

export const text: Parser<string> = (value, at) => {
  if (typeof value !== 'string') throw problem(at, 'a text', value);
  return value;
};

export const flag: Parser<boolean> = (value, at) => {
  if (typeof value !== 'boolean') throw problem(at, 'true or false', value);
  return value;
};

/** A finite number. */
export const number: Parser<number> = (value, at) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw problem(at, 'a number', value);
  return value;
};

/** A finite number that is not negative: a duration. */
export const duration: Parser<number> = (value, at) => {
  if (number(value, at) < 0) throw problem(at, 'a duration', value);
  return Number(value);
};

/** A version or sequence: a safe integer that is not negative. */
export const counter: Parser<number> = (value, at) => {
  if (!Number.isSafeInteger(value) || Number(value) < 0) throw problem(at, 'a whole number from 0', value);
  return Number(value);
};

/** A name or id that every store keeps unchanged. */
export const identifier: Parser<string> = (value, at) => {
  const id = text(value, at);
  if (id === '') throw new WireProblem(`${at} is empty`);
  if (utf8Bytes(id) > MAX_ID_BYTES) throw new WireProblem(`${at} is longer than ${MAX_ID_BYTES} bytes`);
  const found = stringProblem(id, at);
  if (found) throw new WireProblem(`${found.path} ${found.problem}`);
  return id;
};

/** An identifier, or a safe integer. */
export const recordId: Parser<RecordId> = (value, at) => {
  if (typeof value !== 'number') return identifier(value, at);
  if (!Number.isSafeInteger(value)) throw problem(at, 'a text or a whole number', value);
  return value;
};

/** A record's fields: checked for depth before anything walks them, and for keys that change prototypes. */
export const recordData: Parser<JsonObject> = (value, at) => {
  const data = anyObject(value, at);
  if (Object.keys(data).length > MAX_FIELDS) throw new WireProblem(`${at} has more than ${MAX_FIELDS} fields`);
  const found = findJsonProblem(data, { maxDepth: MAX_JSON_DEPTH });
  if (found) throw new WireProblem(`${at}${found.path.slice(1)} ${found.problem}`);
  // Nothing in it is anything but JSON, as was just found.
  return data as JsonObject;
};

/** A point in time as ISO 8601 with seconds and a zone, on a day that exists. */
export const instant: Parser<string> = (value, at) => {
  const instantText = text(value, at);
  const [, year, month, day] = (INSTANT.exec(instantText) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined || day > daysOf(year, month)) {
    throw problem(at, 'a point in time like 2026-01-31T12:00:00.000Z', value);
  }
  return instantText;
};

const INSTANT =
  /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3])(?::[0-5]\d){2}(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

function problem(at: string, expected: string, value: unknown): WireProblem {
  return new WireProblem(`${at} ${value === undefined ? 'is missing' : `is ${kindOf(value)}`}; it must be ${expected}`);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return value === '' ? 'an empty text' : 'a text';
  return typeof value === 'number' ? `the number ${value}` : `of the kind ${typeof value}`;
}
