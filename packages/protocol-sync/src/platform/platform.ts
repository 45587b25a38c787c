/** The only home of time, randomness and timers on the server; everything else is given them. */

export interface Platform {
  /** Epoch milliseconds. */
  now(): number;
  /** A fresh random id, unguessable. */
  randomId(): string;
  /** Runs `work` once after `delayMs`; the returned function cancels it. */
  setTimer(work: () => void, delayMs: number): () => void;
}

/** 25 days: what is further off timers take for now, and whoever bounds nothing would have it all given up at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

export const systemPlatform: Platform = {
  now: () => Date.now(),
  randomId: () => crypto.randomUUID(),
  setTimer(work, delayMs) {
    // Newer versions of Node warn of a delay that is negative.
    const timer = setTimeout(work, Math.max(0, Math.min(delayMs, MAX_DELAY_MS)));
    return () => clearTimeout(timer);
  },
};
