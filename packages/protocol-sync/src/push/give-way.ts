/**
 * Keeps a long push from holding up everybody else's requests, streams and timers, for which the process has one thread.
 * Not in a transaction on SQLite: whoever has a turn there and writes through a handle of their own would stop the process
 * until their patience ends, because the push that they wait for cannot go on.
 */
import type { Platform } from '../platform/platform.js';

/** 50 ms: a usual push of a thousand is decided within it, and nobody notices so short a wait. */
const MAX_TURN_MS = 50;

/**
 * A function to call before each mutation. It answers a promise to await when the push has gone on for long: where rules
 * and resolvers answer at once, a thousand small changes of a large record would otherwise take seconds in one turn.
 */
export function givingWay(platform: Pick<Platform, 'now' | 'setTimer'>): () => Promise<void> | undefined {
  // Begins with the first mutation: a push that waited for its turn has not held up anybody.
  let since: number | undefined;
  return () => {
    const at = platform.now();
    since ??= at;
    // A clock that was set back begins anew.
    if (at >= since && at - since < MAX_TURN_MS) return undefined;
    since = undefined;
    return new Promise((resolve) => void platform.setTimer(resolve, 0));
  };
}
