/** A bound on how long one request may take. */
import type { Platform } from '../platform/platform.js';
import { SyncRequestError } from '../sync-request-error.js';

export interface Bound {
  readonly timeoutMs: number;
  readonly platform: Platform;
  /** Calls `listener` when the caller goes. */
  onGone(listener: () => void): void;
}

/**
 * What `work` resolves to. When it takes longer than `timeoutMs`, its signal is aborted and `SyncRequestError` `BUSY`
 * thrown at once, whether or not the work heeds the signal. It is aborted, too, when the caller goes, also after that.
 */
export async function within<T>(bound: Bound, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ended = new AbortController();
  bound.onGone(() => ended.abort());
  let cancelTimer = (): void => {};
  const timeout = new Promise<never>((_, reject) => {
    cancelTimer = bound.platform.setTimer(() => {
      const error = tooLate(bound.timeoutMs);
      ended.abort(error);
      reject(error);
    }, bound.timeoutMs);
  });
  try {
    return await Promise.race([work(ended.signal), timeout]);
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
