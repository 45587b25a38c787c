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

/** What `parse` returns; a problem it finds is thrown as the error that `errorOf` makes of it. */
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
    // Each property of T is given by its own parser; only optional ones are missing.
    return gather<Record<string, unknown>, keyof T & string>({}, keys, (key) =>
      parsers[key](ownValue(object, key)),
    ) as T;
  };
}

/** An array of such values. */
export function listOf<T>(parse: Parser<T>): Parser<readonly T[]> {
  return (value) => {
    const list = anyList(value);
    return gather<T[], number>([], list, (index) => parse(list[index]));
  };
}

/** An object with any keys and such values; only the key that would change its prototype is left out. */
export function mapOf<T>(parse: Parser<T>): Parser<Readonly<Record<string, T>>> {
  return (value) => {
    const object = anyObject(value);
    const keys = Object.keys(object).filter((key) => key !== '__proto__');
    return gather<Record<string, T>, string>({}, keys, (key) => parse(ownValue(object, key)));
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
  (value) => typeof value === 'string' && value !== '' && utf8Bytes(value) <= MAX_ID_BYTES && !BAD_TEXT.test(value),
);

/** An identifier, or a safe integer. */
export const recordId: Parser<RecordId> = (value) => (isInteger(value) ? value : identifier(value));

/** A point in time as ISO 8601 with seconds and a zone, on a day that exists. */
export const instant = rule<string>('a time like 2026-01-31T12:00:00.000Z', (value) => {
  // What was written together has one time, and looking at it costs more than at the rest of a change.
  if (value === lastInstant) return true;
  const [time = '', day = '', date] = (typeof value === 'string' && INSTANT.exec(value)) || [];
  // A day that does not exist is read as one of the next month.
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
    return Object.freeze(gather<unknown[], number>([], value, (index) => own(value[index], depthLeft - 1)));
  }
  if (!isPlain(value)) return refuse(`a ${value.constructor?.name || 'class instance'}`);
  return Object.freeze(
    gather<Record<string, unknown>, string>({}, Object.keys(value), (key) =>
      key === '__proto__' || BAD_TEXT.test(key)
        ? refuse('behind a field name')
        : own(ownValue(value, key), depthLeft - 1),
    ),
  );
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

/** A value for which `holds`, which is `expected` in words. */
export function rule<T>(expected: string, holds: (value: unknown) => boolean): Parser<T> {
  return (value) => {
    if (!holds(value)) throw new WireProblem(`${value === undefined ? 'is missing; it ' : ''}must be ${expected}`);
    // As was just found.
    return value as T;
  };
}

function refuse(found: unknown): never {
  throw new WireProblem(`is ${found}, which JSON cannot keep unchanged`);
}

/**
 * `whole` with what `part` gives for each step, unless that is `undefined`: each of these keys of an object, or each place in
 * this list. A problem in a part is one behind its step.
 */
function gather<Whole extends Record<Step, unknown>, Step extends string | number>(
  whole: Whole,
  steps: readonly unknown[],
  part: (step: Step) => Whole[Step],
): Whole {
  let at: Step | undefined;
  try {
    // Places are counted and not listed: a sparse list may have more than memory holds.
    for (let index = 0; index < steps.length; index++) {
      // A step of an object is one of its keys.
      at = (Array.isArray(whole) ? index : steps[index]) as Step;
      const value = part(at);
      if (value !== undefined) whole[at] = value;
    }
  } catch (error) {
    if (error instanceof WireProblem) error.path = (typeof at === 'number' ? `[${at}]` : `.${at}`) + error.path;
    throw error;
  }
  return whole;
}
