/** How long to wait before another try. */

/** 1 s: the first retry comes within it. */
const BACKOFF_BASE_MS = 1000;
/** 60 s: the longest pause between two tries, so that a server that is back is found within a minute. */
export const BACKOFF_MAX_MS = 60_000;
/** 1 h: a server that needs longer can ask again; one that mistakes the unit must not end sync. */
export const RETRY_AFTER_MAX_MS = 3_600_000;
/** 2^6 s exceeds the maximum; more doublings would only overflow. */
const MAX_DOUBLINGS = 6;

/**
 * Full jitter: a random part of a delay that doubles with each failure, so that many clients do not come back at once.
 * `failures` counts from 1, `jitter` lies in [0, 1).
 */
export function backoffMs(failures: number, jitter: number): number {
  const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** Math.min(failures - 1, MAX_DOUBLINGS));
  return Math.ceil(ceiling * jitter);
}

/** The delay before the next try: what the server asks for, within an hour, and never less than the backoff. */
export function retryDelayMs(retryAfterMs: number | undefined, failures: number, jitter: number): number {
  return Math.max(Math.min(retryAfterMs ?? 0, RETRY_AFTER_MAX_MS), backoffMs(failures, jitter));
}
