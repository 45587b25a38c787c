/** Times as mutations and requests carry them. */

let lastMs = Number.NaN;
let lastInstant = '';

/** A day in 9892. From the year 10000 on the text has another form: servers refuse it, and nothing would be sent. */
const LAST_MS = 25e13;

/** ISO 8601. Calls within one millisecond share one text. */
export function instantOf(ms: number): string {
  if (ms !== lastMs) lastInstant = new Date(Math.min(ms, LAST_MS)).toISOString();
  lastMs = ms;
  return lastInstant;
}
