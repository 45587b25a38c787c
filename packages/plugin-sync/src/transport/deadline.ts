/** Bounds the time of a request, whatever it does. */

import type { Platform } from '../platform/platform.js';
import { waitWithin } from '../platform/wait-within.js';
import { TransportError } from './transport.js';

export interface DeadlineOptions {
  readonly timeoutMs: number;
  /** Ends the work from outside. */
  readonly signal: AbortSignal | undefined;
  readonly platform: Pick<Platform, 'setTimer'>;
}

/**
 * Runs `work` until it is done, the time is over, or the given signal ends it. In the last two cases it throws
 * `TransportError` of type `timeout` or `aborted` at once, and aborts the signal of `work`. If the signal's reason is a
 * `TransportError`, that is thrown.
 */
export async function withDeadline<T>(
  { timeoutMs, signal, platform }: DeadlineOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let end!: (reason: unknown) => void;
  // Some fetches and token providers ignore the signal: the promise does not wait for them. Some signals have no
  // reason, as in React Native.
  const ended = new Promise<never>((_, reject) => {
    end = (reason) => {
      reject(reason);
      controller.abort(reason);
    };
  });
  const onLate = () => {
    end(new TransportError(`The server did not answer within ${timeoutMs} ms.`, { type: 'timeout' }));
    return ended;
  };
  const abort = () => {
    const cause = signal?.reason;
    end(
      cause instanceof TransportError
        ? cause
        : new TransportError('The request was ended before it was answered.', { type: 'aborted' }, { cause }),
    );
  };
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort);
  try {
    const done = controller.signal.aborted ? ended : work(controller.signal);
    return await waitWithin(Promise.race([ended, done]), { timeoutMs, platform, onLate });
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
