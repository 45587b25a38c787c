/** What the tabs of one browser share: a lock that one of them holds, and a channel that all others hear. */

/** A tab's connection to the other tabs of its browser. */
export interface TabHost {
  /**
   * Asks for the lock of this name: in line behind earlier requests, or, with `steal`, at once from its holder. Returns
   * a function that gives the lock back or leaves the line; no callback comes after that.
   */
  requestLock(name: string, request: LockRequest): () => void;
  /** Opens the channel of this name: a message reaches every other tab that has it open, not the sender. */
  openChannel(name: string, onMessage: (message: unknown) => void): TabChannel;
  /** False while nobody sees this tab; browsers then run its timers once a minute. */
  isVisible(): boolean;
}

/** One wish to hold a lock. */
export interface LockRequest {
  readonly steal: boolean;
  readonly onGranted: () => void;
  /** Called when another tab has stolen the lock, or this one freezes and would not hear of that. */
  readonly onLost: () => void;
}

/** An open channel. */
export interface TabChannel {
  post(message: unknown): void;
  close(): void;
}
