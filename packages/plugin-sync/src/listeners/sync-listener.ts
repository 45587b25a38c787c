/** What an application may listen to. */
import type { MutationLogEntry, SyncConflict, SyncPushResponse, SyncServerChange } from '@objectql/sync-types';

/** Fields of a mutation that lost against a later or protected value. */
export interface DroppedFields {
  readonly mutation: MutationLogEntry;
  readonly droppedFields: readonly string[];
}

/**
 * Hears of sync. Every method may be asynchronous; what it returns otherwise is ignored. Errors of all but `onServerChanges`
 * change nothing; they are told to `onSyncError` and stand in the status.
 */
export interface SyncEventListener {
  /** A sync has begun. */
  onSyncStart?(): unknown;
  /**
   * The sync has sent and received everything there was. The response is the last answer with the `results` of the whole
   * sync, and of the `serverChanges` the last 1,000.
   */
  onSyncComplete?(response: SyncPushResponse): unknown;
  /** The sync failed, or another listener did. What is pending stays and is tried again. */
  onSyncError?(error: Error): unknown;
  /** Conflicts were detected, also those that are resolved without the user. */
  onConflict?(conflicts: readonly SyncConflict[]): unknown;
  /**
   * Server changes arrived, a page at a time. Called before they count as received: when it throws or rejects, or takes
   * longer than a minute, nothing of them is stored and they come again. So a page may come twice, never not at all.
   * It may close the client and wait for that; it must not wait for `sync()`, which waits for it.
   */
  onServerChanges?(changes: readonly SyncServerChange[]): unknown;
  /** Some of what the user wrote was overruled by a strategy. */
  onDropped?(dropped: readonly DroppedFields[]): unknown;
}
