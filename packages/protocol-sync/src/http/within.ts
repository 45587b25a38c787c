/** A bound on how long one request may take. */
import type { Platform } from '../platform/platform.js';
import { SyncRequestError } from '../sync-request-error.js';

export interface Bound {
  readonly timeoutMs: number;
  readonly platform: Platform;
  /** The caller's own signal, on which the work's depends. */
  readonly signal: AbortSignal;
}

/**
 * What `work` resolves to. When it takes longer than `timeoutMs`, its signal is aborted and `SyncRequestError` `BUSY`
 * thrown at once, whether or not the work heeds the signal.
 */
export async function within<T>(bound: Bound, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController();
  let cancelTimer = (): void => {};
  const timeout = new Promise<never>((_, reject) => {
    cancelTimer = bound.platform.setTimer(() => {
      const error = tooLate(bound.timeoutMs);
      late.abort(error);
      reject(error);
    }, bound.timeoutMs);
  });
  try {
    return await Promise.race([work(AbortSignal.any([bound.signal, late.signal])), timeout]);
  } finally {
    cancelTimer();
  }
}

/** 5 s: a server that needed too long is not helped by an immediate second try. */
const RETRY_AFTER_MS = 5000;

function tooLate(timeoutMs: number): SyncRequestError {
  const message = `The request was not received and answered within ${timeoutMs / 1000} s. Send it again.`;
  return new SyncRequestError('BUSY', message, { retryAfterMs: RETRY_AFTER_MS });
}
