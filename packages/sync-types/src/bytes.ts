/** How many bytes a text, or the JSON of a value, takes in UTF-8, without encoding it. */

/**
 * Whether a JSON value's text has at most `maxBytes` bytes. Only a value near the limit is written out to find out.
 */
export function isJsonWithin(value: unknown, maxBytes: number): boolean {
  return mostBytes(value) <= maxBytes || utf8Bytes(JSON.stringify(value)) <= maxBytes;
}

/** An upper bound for the bytes of the value's JSON text: six for each unit of a string, as for `\\u0001`. */
function mostBytes(value: unknown): number {
  if (typeof value === 'string') return 6 * value.length + 2;
  if (typeof value !== 'object' || value === null) return MAX_NUMBER_BYTES;
  let bytes = 2;
  if (Array.isArray(value)) {
    // The keys of a list are made as texts, which took longer than all the rest.
    for (const part of value) bytes += 1 + mostBytes(part);
    return bytes;
  }
  for (const key of Object.keys(value)) {
    bytes += 6 * key.length + 4 + mostBytes((value as Readonly<Record<string, unknown>>)[key]);
  }
  return bytes;
}

/** 25: `-1.2345678901234567e-300`, and longer than `false`. */
const MAX_NUMBER_BYTES = 25;

/** Bytes of a string in UTF-8, counted without encoding it; equal to what `TextEncoder` gives, also for lone surrogates. */
export function utf8Bytes(text: string): number {
  if (!NOT_ASCII.test(text)) return text.length;
  let bytes = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    bytes += unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
  }
  // A surrogate pair is one character of four bytes; each lone half takes three.
  return bytes - 2 * (text.match(SURROGATE_PAIR)?.length ?? 0);
}

const SURROGATE_PAIR = /[\ud800-\udbff][\udc00-\udfff]/g;
const NOT_ASCII = /[\u0080-\uffff]/;
