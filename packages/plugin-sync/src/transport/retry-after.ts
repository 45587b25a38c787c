/** Reads `Retry-After` (RFC 9110, section 10.2.3): a number of seconds, or an HTTP date. */

/** Milliseconds to wait; `undefined` when the headers do not say. `now` is the device's clock, in epoch milliseconds. */
export function retryAfterMs(headers: Headers, now: number): number | undefined {
  const value = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  if (!/^[A-Z][a-z]{2},/.test(value)) return undefined;
  const at = Date.parse(value);
  // By the server's own clock, if it tells the time: the device's may be wrong by hours.
  const sent = Date.parse(headers.get('date') ?? '');
  const waitMs = at - (Number.isNaN(sent) ? now : sent);
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs);
}
