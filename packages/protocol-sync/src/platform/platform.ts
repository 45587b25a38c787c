/** The only home of time, randomness and timers on the server; everything else is given them. */

export interface Platform {
  /** Epoch milliseconds. */
  now(): number;
  /** A fresh random id, unguessable. */
  randomId(): string;
  /** Runs `work` once after `delayMs`; the returned function cancels it. */
  setTimer(work: () => void, delayMs: number): () => void;
}

export const systemPlatform: Platform = {
  now: () => Date.now(),
  randomId: () => crypto.randomUUID(),
  setTimer(work, delayMs) {
    // Newer versions of Node warn of a delay that is negative.
    const timer = setTimeout(work, Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
};
