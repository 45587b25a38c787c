/** Bounds the time of a request, whatever it does. */

import type { Platform } from '../platform/platform.js';
import { TransportError, type TransportOptions } from './transport.js';

export interface DeadlineOptions extends Partial<Pick<TransportOptions, 'signal' | 'onProgress'>> {
  /** The time until something of the answer must have arrived, and again until more of it has. */
  readonly timeoutMs: number;
  readonly platform: Pick<Platform, 'setTimer'>;
}

/** What the work may heed and tell. */
interface Bounds {
  readonly signal: AbortSignal;
  readonly onProgress: () => void;
}

/** 10 times, 5 minutes of a request: who sends a byte now and then must not hold up sync for ever. */
const MAX_WAITS = 10;

/**
 * Runs `work` until it is done, its time is over, or the given signal ends it. In the last two cases it throws
 * `TransportError` of type `timeout` or `aborted` at once, and aborts the signal of `work`. If the signal's reason is a
 * `TransportError`, that is thrown. Each time `timeoutMs` are over, the work is given them once more if it told of
 * progress meanwhile, ten times at most; `onProgress` hears of it, too.
 */
export async function withDeadline<T>(
  { timeoutMs, signal, platform, onProgress }: DeadlineOptions,
  work: (bounds: Bounds) => Promise<T>,
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
  let waits = 0;
  let hasProgressed = true;
  let cancel = () => {};
  const wait = () => {
    if (hasProgressed && waits < MAX_WAITS) {
      waits += 1;
      hasProgressed = false;
      cancel = platform.setTimer(wait, timeoutMs);
    } else end(new TransportError(`The server did not answer within ${timeoutMs * waits} ms.`, { type: 'timeout' }));
  };
  const progress = () => {
    hasProgressed = true;
    onProgress?.();
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
    wait();
    const done = controller.signal.aborted ? ended : work({ signal: controller.signal, onProgress: progress });
    return await Promise.race([ended, done]);
  } finally {
    cancel();
    signal?.removeEventListener('abort', abort);
  }
}
