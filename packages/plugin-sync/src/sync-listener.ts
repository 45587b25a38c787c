/** What an application may listen to. */
import type { MutationLogEntry, SyncConflict, SyncPushResponse, SyncServerChange } from '@objectql/sync-types';

/** Fields of a mutation that lost against a later or protected value. */
export interface DroppedFields {
  readonly mutation: MutationLogEntry;
  readonly droppedFields: readonly string[];
}

export interface SyncEventListener {
  /** A sync cycle has begun. */
  onSyncStart?(): void;
  /** The cycle has sent and received everything there was; the last answer. */
  onSyncComplete?(response: SyncPushResponse): void;
  /** The cycle failed, or another listener did. What is pending stays and is tried again. */
  onSyncError?(error: Error): void;
  /** Conflicts were detected, also those that are resolved without the user. */
  onConflict?(conflicts: readonly SyncConflict[]): void;
  /**
   * Server changes arrived. Called before they count as received: when it throws or rejects, the same changes come again.
   */
  onServerChanges?(changes: readonly SyncServerChange[]): void | Promise<void>;
  /** Some of what the user wrote was overruled by a strategy. */
  onDropped?(dropped: readonly DroppedFields[]): void;
}

/** Calls listeners so that none can stop sync or another listener. */
export class Listeners {
  readonly #listeners = new Set<SyncEventListener>();

  constructor(listeners: readonly SyncEventListener[] = []) {
    for (const listener of listeners) this.#listeners.add(listener);
  }

  add(listener: SyncEventListener): void {
    this.#listeners.add(listener);
  }

  remove(listener: SyncEventListener): void {
    this.#listeners.delete(listener);
  }

  /** Calls one event of every listener; what a listener throws is told to `onSyncError`. */
  tell(call: (listener: SyncEventListener) => void): void {
    for (const listener of this.#listeners) {
      try {
        call(listener);
      } catch (error) {
        this.error(error);
      }
    }
  }

  /** Hands server changes over; rejects when a listener does, so that they are not taken as received. */
  async serverChanges(changes: readonly SyncServerChange[]): Promise<void> {
    if (changes.length === 0) return;
    for (const listener of this.#listeners) await listener.onServerChanges?.(changes);
  }

  error(error: unknown): void {
    const reported = error instanceof Error ? error : new Error(String(error));
    for (const listener of this.#listeners) {
      try {
        listener.onSyncError?.(reported);
      } catch {
        // There is nobody left to tell that the listener for errors failed.
      }
    }
  }
}
