/** Limits how long to wait for something that nobody can stop. */
import type { Platform } from './platform.js';

/** How long it may take, and on which clock. */
export interface TimeBound {
  readonly timeoutMs: number;
  readonly platform: Pick<Platform, 'setTimer'>;
}

/** Settles like `work`. If `work` takes longer, rejects with what `giveUp` returns, and ignores how `work` ends. */
export function inTime<T>(work: Promise<T>, { timeoutMs, platform }: TimeBound, giveUp: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = platform.setTimer(() => reject(giveUp()), timeoutMs);
    work.finally(cancel).then(resolve, reject);
  });
}
