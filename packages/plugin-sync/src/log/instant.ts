/** Times as they stand in mutations and requests. */

let lastMs = Number.NaN;
let lastInstant = '';

/** A day in 9892. From the year 10000 on the text has another form, which no server takes, and nothing would ever be sent. */
const LAST_MS = 25e13;

/** ISO 8601. What is recorded within one millisecond shares one text. */
export function instantOf(ms: number): string {
  if (ms !== lastMs) lastInstant = new Date(Math.min(ms, LAST_MS)).toISOString();
  lastMs = ms;
  return lastInstant;
}
