/** What an application may listen to. */
import type { MutationLogEntry, SyncConflict, SyncPushResponse, SyncServerChange } from '@objectql/sync-types';

/** Fields of a mutation that lost against a later or protected value. */
export interface DroppedFields {
  readonly mutation: MutationLogEntry;
  readonly droppedFields: readonly string[];
}

/**
 * Hears of sync. Every method may be asynchronous; its return value is ignored otherwise. Errors of all but
 * `onServerChanges` change nothing; they go to `onSyncError` and into the status.
 */
export interface SyncEventListener {
  /** A sync has begun. */
  onSyncStart?(): unknown;
  /**
   * The sync has sent and received everything there was. The response is the last answer, with the `results` of the
   * whole sync and its last 1,000 `serverChanges`.
   */
  onSyncComplete?(response: SyncPushResponse): unknown;
  /** The sync failed, or another listener did. What is pending stays and is tried again. */
  onSyncError?(error: Error): unknown;
  /** Conflicts were detected, including those that are resolved without the user. */
  onConflict?(conflicts: readonly SyncConflict[]): unknown;
  /**
   * Server changes arrived, a page at a time. Called before they count as received: when it throws, rejects, or takes
   * longer than a minute, none of them is stored and they come again. So a page may come twice, but never not at all.
   * It may close the client and wait for that; it must not wait for `sync()`, which waits for it.
   */
  onServerChanges?(changes: readonly SyncServerChange[]): unknown;
  /** A strategy overruled some of what the user wrote. */
  onDropped?(dropped: readonly DroppedFields[]): unknown;
}
