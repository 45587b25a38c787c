/** The only home of time, randomness, timers and connectivity on the client; everything else is given them. */

/** What a client uses of the device it runs on; tests give it another. */
export interface Platform {
  /** Epoch milliseconds by the device's clock. */
  now(): number;
  /** A number in [0, 1), as `Math.random`; for jitter. */
  random(): number;
  /** A fresh UUIDv7: sorts by time, unique across devices. */
  newId(): string;
  /**
   * Runs `work` once after `delayMs`; the returned function cancels it. A device that slept over the time runs it soon
   * after it wakes.
   */
  setTimer(work: () => void, delayMs: number): () => void;
  /** False only when the device knows that it has no network. */
  isOnline(): boolean;
  /**
   * Calls `listener` when the device gains or loses its network, and with `true` whenever a try makes sense, as when somebody
   * looks at it again. Returns what stops it.
   */
  onConnectivity(listener: (online: boolean) => void): () => void;
  /** False while nobody can see the app, as in a tab in the background. Where it is missing, somebody always can. */
  isSeen?(): boolean;
}
