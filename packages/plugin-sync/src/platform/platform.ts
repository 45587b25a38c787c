/** The only home of time, randomness, timers and connectivity on the client; all other code is given them. */

/** What a client uses of the device it runs on; tests give it another. */
export interface Platform {
  /** Epoch milliseconds by the device's clock. */
  now(): number;
  /** A number in [0, 1), as `Math.random`; for jitter. */
  random(): number;
  /** A fresh UUIDv7: sorts by time, unique across devices. */
  newId(): string;
  /**
   * Runs `work` once after `delayMs`; the returned function cancels it. If the device slept past the time, it runs soon
   * after waking.
   */
  setTimer(work: () => void, delayMs: number): () => void;
  /** False only when the device knows that it has no network. */
  isOnline(): boolean;
  /**
   * Calls `listener` when the device gains or loses its network, and with `true` whenever a try makes sense, as when
   * somebody looks at the device again. Returns what stops it.
   */
  onConnectivity(listener: (online: boolean) => void): () => void;
  /** False while nobody can see the app, as in a background tab. Without this method, the app counts as seen. */
  isSeen?(): boolean;
}
