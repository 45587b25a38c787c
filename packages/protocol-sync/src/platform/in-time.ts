/** A bound on how long something may take that nobody can stop. */
import type { Platform } from './platform.js';

/** How long it may take, and on which clock. */
export interface TimeBound {
  readonly timeoutMs: number;
  readonly platform: Pick<Platform, 'setTimer'>;
}

/** What `work` settles with. Rejects with what `giveUp` returns where it takes longer; what becomes of `work` then nobody hears. */
export function inTime<T>(work: Promise<T>, { timeoutMs, platform }: TimeBound, giveUp: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = platform.setTimer(() => reject(giveUp()), timeoutMs);
    work.finally(cancel).then(resolve, reject);
  });
}
