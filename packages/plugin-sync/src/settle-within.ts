/** Waits for what may take for ever, but not for ever. */
import type { Platform } from './platform/platform.js';

export type Awaited<T> = { readonly inTime: true; readonly value: T } | { readonly inTime: false };

/** What `work` resolves with, unless that takes longer than `timeoutMs`; rejects when it rejects in time. */
export async function settleWithin<T>(
  work: Promise<T>,
  { timeoutMs, platform }: { readonly timeoutMs: number; readonly platform: Platform },
): Promise<Awaited<T>> {
  let cancel = () => {};
  const late = new Promise<Awaited<T>>((resolve) => {
    cancel = platform.setTimer(() => resolve({ inTime: false }), timeoutMs);
  });
  try {
    return await Promise.race([work.then((value) => ({ inTime: true as const, value })), late]);
  } finally {
    cancel();
  }
}
