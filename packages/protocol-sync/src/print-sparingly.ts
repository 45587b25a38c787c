/** Printing what may fail at each of a thousand requests a second, as all of them do while the database is away. */
import type { Platform } from './platform/platform.js';

/** 10 s: a person who watches sees that it goes on, and an hour of it fits on a screen or two. */
const PRINT_PAUSE_MS = 10_000;
/** 20 s: what goes on is printed again before, with the number of those that were not. */
const KEPT_MS = 2 * PRINT_PAUSE_MS;

/**
 * Prints at once what has not been printed for 10 s; what is the same trouble again has an equal likeness. How many like it there were
 * since stands in what `print` is to add.
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
    // What each message tells in words of its own must not pile up.
    for (const [other, entry] of printed) {
      if (isWithin(KEPT_MS, entry.at)) break;
      printed.delete(other);
    }
    printed.delete(likeness);
    printed.set(likeness, { at, unprinted: 0 });
    print(told, last?.unprinted ? [`(${last.unprinted} more like this since it was last printed)`] : []);
  };
}

/** What tells one error from another; whatever is thrown that is none is alike. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? String(error.message) : '';
}
