/** UUIDs of version 7 (RFC 9562, section 5.7): 48 bits of time, a counter of 12 bits, and 62 random bits. */

let time = 0;
let counter = 0;
const pool = new Uint32Array(256);
let left = 0;
/** The character codes of the last id: a text built from pieces would leave each piece as garbage. */
const codes = codesOf('00000000-0000-7000-8000-000000000000');
const DIGITS = codesOf('0123456789abcdef');

/**
 * A fresh UUIDv7, e.g. `019b7769-1c00-7a3f-8f21-3c5d9e0b7a64`, that sorts behind every one made before in this process,
 * also when the clock was set back (section 6.2, method 1). `now` is in epoch milliseconds.
 */
export function uuidv7(now: number): string {
  counter += 1;
  if (now > time || counter > 0xfff) {
    time = Math.max(now, time + 1);
    write(Math.floor(time / 0x10000), 0, 7);
    write(time % 0x10000, 9, 12);
    // Half of the counter's range is left for ids of the same millisecond.
    counter = random32() & 0x7ff;
  }
  const random = random32();
  write(counter, 15, 17);
  write(0x8000 | (random & 0x3fff), 19, 22);
  write(random >>> 16, 24, 27);
  write(random32(), 28, 35);
  return String.fromCharCode(...codes);
}

/** Drawn by the kilobyte: asking the system for 8 bytes each time would cost more than all the rest. */
function random32(): number {
  if (left === 0) left = crypto.getRandomValues(pool).length;
  left -= 1;
  return pool[left] ?? 0;
}

/** Writes the lowest digits of a number of 32 bits to these places. */
function write(value: number, first: number, last: number): void {
  let rest = value;
  for (let place = last; place >= first; place--) {
    codes[place] = DIGITS[rest & 15] ?? 0;
    rest >>>= 4;
  }
}

function codesOf(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}
