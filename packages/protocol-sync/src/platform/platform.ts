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
    const timer = setTimeout(work, delayMs);
    return () => clearTimeout(timer);
  },
};
