/** Waits with a limit for what may take for ever. */
import type { Platform } from './platform.js';

export interface WaitLimit<Late> {
  readonly timeoutMs: number;
  readonly platform: Pick<Platform, 'setTimer'>;
  /** Called when the time is over; its result or error is then the answer. */
  readonly onLate: () => Late | PromiseLike<Late>;
}

/** Resolves like `work`, unless that takes longer than the limit; rejects when `work` rejects in time. */
export async function waitWithin<T, Late>(
  work: PromiseLike<T>,
  { timeoutMs, platform, onLate }: WaitLimit<Late>,
): Promise<T | Late> {
  let cancel = () => {};
  const late = new Promise<void>((resolve) => {
    cancel = platform.setTimer(resolve, timeoutMs);
  });
  try {
    return await Promise.race([work, late.then(onLate)]);
  } finally {
    cancel();
  }
}
