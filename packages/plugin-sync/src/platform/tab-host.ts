/** What the tabs of one browser have in common: a lock that one of them holds, and a channel that all others hear. */

/** A tab's way to the others of its browser. */
export interface TabHost {
  /**
   * Asks for the lock of this name: in line behind those who asked before, or, to `steal`, at once from whoever holds it.
   * Returns what gives the lock back, or leaves the line; nothing is told of it after that.
   */
  requestLock(name: string, request: LockRequest): () => void;
  /** Opens the channel of this name: what is posted there reaches every other tab that has it open, not the poster. */
  openChannel(name: string, onMessage: (message: unknown) => void): TabChannel;
  /** False while nobody sees this tab; browsers then run its timers once a minute. */
  isVisible(): boolean;
}

/** One wish to hold a lock. */
export interface LockRequest {
  readonly steal: boolean;
  readonly onGranted: () => void;
  /** Called when another tab has stolen the lock. */
  readonly onLost: () => void;
}

/** An open channel. */
export interface TabChannel {
  post(message: unknown): void;
  close(): void;
}
