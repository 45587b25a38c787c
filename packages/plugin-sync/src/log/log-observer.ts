/** What happens to the log, for those whose view of it must follow. */
import type { ClientState } from '../storage/client-storage.js';

export interface LogObserver {
  /** Saving failed. The entries stay in memory and are saved again by themselves, with growing delays. */
  onSaveFailed?(error: unknown): void;
  /** What was appended and acknowledged is durable. */
  onSaved?(): void;
  /** The application has acknowledged these mutations: they are pending no more. */
  onRemoved?(ids: readonly string[]): void;
  /** The storage has been read for the first time. */
  onLoaded?(state: ClientState): void;
  /** The storage holds another user's work. */
  onForeign?(): void;
  /** Other conflicts or dead letters may wait for the user than before. */
  onWaiting?(): void;
  /** Another tab or process had changed what is stored: it has been read again. */
  onReread?(): void;
}
