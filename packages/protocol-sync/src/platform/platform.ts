/** The only place on the server that uses time, randomness and timers; all other code is given them. */

export interface Platform {
  /** Epoch milliseconds. */
  now(): number;
  /** A fresh random id, unguessable. */
  randomId(): string;
  /** Runs `work` once after `delayMs`; the returned function cancels it. */
  setTimer(work: () => void, delayMs: number): () => void;
}

/** 25 days: a longer delay would fire at once, so an application that sets no limit would have everything given up. */
const MAX_DELAY_MS = 2 ** 31 - 1;

export const systemPlatform: Platform = {
  now: () => Date.now(),
  randomId: () => crypto.randomUUID(),
  setTimer(work, delayMs) {
    // Newer versions of Node warn of a negative delay.
    const timer = setTimeout(work, Math.max(0, Math.min(delayMs, MAX_DELAY_MS)));
    return () => clearTimeout(timer);
  },
};
