/** JSON text from strangers: parsed only if no walk over it can do harm, and refused if it says one thing twice. */
import { SyncRequestError } from '../sync-request-error.js';

/**
 * 512 levels: far below what makes a recursive walk fail (about 5,000), and far above what a mutation may hold. So the
 * schema alone rejects a mutation that is too deep, and its neighbours are not held back for ever.
 */
export const MAX_BODY_DEPTH = 512;

/** The value of a JSON text, as `JSON.parse` gives it. Throws `SyncRequestError` `MALFORMED`, and nothing else. */
export function parseJson(text: string): unknown {
  const { depth, colons } = scan(text);
  if (depth > MAX_BODY_DEPTH) throw tooDeep();
  const value = parse(text);
  // Outside of strings a colon stands after each key and nowhere else, and a parsed object keeps the last of two equal
  // keys. So fewer keys than colons means that a key stood twice: the server and whoever checked or logged the request
  // before it (a proxy, an audit trail) could have read two different mutations out of one text.
  if (countKeys(value) !== colons) {
    throw new SyncRequestError('MALFORMED', 'The body has an object with the same key twice. Send each key once.');
  }
  return value;
}

/** Refuses a value that somebody else has parsed already if it is nested too deeply to be walked. */
export function checkDepth(value: unknown): void {
  let level = [value].filter(isContainer);
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MAX_BODY_DEPTH) throw tooDeep();
    level = level.flatMap((container) => Object.values(container)).filter(isContainer);
  }
}

/** One pass over the text, JSON or not; the result is meaningful only if it is JSON. */
function scan(text: string): { readonly depth: number; readonly colons: number } {
  let depth = 0;
  let deepest = 0;
  let colons = 0;
  for (let index = 0; index < text.length; index++) {
    switch (text.charCodeAt(index)) {
      case QUOTE:
        index = endOfString(text, index);
        break;
      case COLON:
        colons += 1;
        break;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        depth += 1;
        if (depth > deepest) deepest = depth;
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth -= 1;
        break;
    }
  }
  return { depth: deepest, colons };
}

/** The index of the quote that ends the string beginning at `start`, or of the text's end. */
function endOfString(text: string, start: number): number {
  let index = start + 1;
  while (index < text.length && text.charCodeAt(index) !== QUOTE) {
    index += text.charCodeAt(index) === BACKSLASH ? 2 : 1;
  }
  return index;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // The engine's own message quotes the text, and with it record contents.
    throw new SyncRequestError('MALFORMED', 'The body is not JSON. Send one JSON object.', { cause });
  }
}

/** All keys of all objects, counted without recursion. */
function countKeys(value: unknown): number {
  const waiting: unknown[] = [value];
  let keys = 0;
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (!isContainer(next)) continue;
    const children = Object.values(next);
    if (!Array.isArray(next)) keys += children.length;
    for (const child of children) if (isContainer(child)) waiting.push(child);
  }
  return keys;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function tooDeep(): SyncRequestError {
  return new SyncRequestError('MALFORMED', `The body is nested deeper than ${MAX_BODY_DEPTH} levels. Flatten it.`);
}

const QUOTE = 0x22;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
