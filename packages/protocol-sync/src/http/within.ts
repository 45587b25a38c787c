/** A bound on how long one request may take. */
import { inTime, type TimeBound } from '../platform/in-time.js';
import { SyncRequestError } from '../sync-request-error.js';

export interface Bound extends TimeBound {
  /** Calls `listener` when the caller goes. */
  onGone(listener: () => void): void;
}

/**
 * The result of `work`. When it takes longer than `timeoutMs`, its signal is aborted and `SyncRequestError` `BUSY`
 * thrown at once, whether or not the work heeds the signal. The signal is also aborted when the caller goes, even after
 * that.
 */
export async function within<T>(bound: Bound, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ended = new AbortController();
  bound.onGone(() => ended.abort());
  const giveUp = () => {
    const error = tooLate(bound.timeoutMs);
    ended.abort(error);
    return error;
  };
  return inTime(work(ended.signal), bound, giveUp);
}

/** 5 s: an immediate second try does not help a server that was too slow. */
const RETRY_AFTER_MS = 5000;

function tooLate(timeoutMs: number): SyncRequestError {
  const message = `The request was not received and answered within ${timeoutMs / 1000} s. Send it again.`;
  return new SyncRequestError('BUSY', message, { retryAfterMs: RETRY_AFTER_MS });
}
