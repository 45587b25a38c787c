/** Printing messages that may come a thousand times a second, as when the database is away and every request fails. */
import type { Platform } from './platform/platform.js';

/** 10 s: a person who watches sees that the trouble goes on, and an hour of it fits on a screen or two. */
const PRINT_PAUSE_MS = 10_000;
/** 20 s: trouble that goes on is printed again within this time, with the number of messages left out. */
const KEPT_MS = 2 * PRINT_PAUSE_MS;

/**
 * Prints a message at once, unless one with the same likeness was printed in the last 10 s. `print` is also given a
 * text that says how many were left out since then.
 */
export function printSparingly<T>(
  print: (told: T, more: readonly string[]) => void,
  likenessOf: (told: T) => string,
  platform: Pick<Platform, 'now'>,
): (told: T) => void {
  /** In the order in which they were printed. */
  const printed = new Map<string, { readonly at: number; unprinted: number }>();
  return (told) => {
    const at = platform.now();
    const likeness = likenessOf(told);
    const last = printed.get(likeness);
    const isWithin = (ms: number, when: number) => when <= at && at - when < ms;
    if (last && isWithin(PRINT_PAUSE_MS, last.at)) {
      last.unprinted += 1;
      return;
    }
    // Messages that are each worded differently must not pile up.
    for (const [other, entry] of printed) {
      if (isWithin(KEPT_MS, entry.at)) break;
      printed.delete(other);
    }
    printed.delete(likeness);
    printed.set(likeness, { at, unprinted: 0 });
    print(told, last?.unprinted ? [`(${last.unprinted} more like this since it was last printed)`] : []);
  };
}

/** What tells one error from another; thrown values that are not errors all count as the same. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? String(error.message) : '';
}
