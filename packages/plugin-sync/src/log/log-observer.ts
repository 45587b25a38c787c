/** What happens to the log, for those who must follow it. */
import type { ClientState } from '../storage/client-storage.js';

export interface LogObserver {
  /** Saving failed. The entries stay in memory and are saved again by themselves, with growing delays. */
  onSaveFailed?(error: unknown): void;
  /** What was appended and acknowledged is durable. */
  onSaved?(): void;
  /** The application has acknowledged these mutations: they are no longer pending. */
  onRemoved?(ids: readonly string[]): void;
  /** The storage has been read for the first time. */
  onLoaded?(state: ClientState): void;
  /** The storage holds another user's work. */
  onForeign?(): void;
  /** The conflicts or dead letters that wait for the user may have changed. */
  onWaiting?(): void;
  /** The storage has been read again, because another tab or process had changed it. */
  onReread?(): void;
}
