/** Connects a client to its live updates, so that a client without them carries none of their code. */

import type { SyncEvent, SyncState } from '../cycle/sync-state.js';
import type { Platform } from '../platform/platform.js';
import type { SyncTransport } from '../transport/transport.js';

/**
 * How the client learns of others' changes: not by itself (`off`), not yet (`connecting`), at once (`open`), or by
 * asking every half minute because no stream gets through (`polling`).
 */
export type LiveStatus = 'off' | 'connecting' | 'open' | 'polling';

/** What live updates need of their client. */
export interface LiveClient {
  readonly platform: Platform;
  readonly transport: SyncTransport;
  /** False when this client asks for no changes at all. */
  readonly isPulling: boolean;
  state(): SyncState;
  /** The checkpoint: everything before it is stored here. */
  checkpoint(): string | null;
  dispatch(event: Extract<SyncEvent, { readonly type: 'requested' | 'refused' }>): void;
  /** Call it when `status` has changed. */
  onChanged(): void;
}

/** Live updates of one client. */
export interface LiveUpdates {
  readonly status: LiveStatus;
  /** Called once at the beginning, and whenever the client's state may have changed; `closed` ends everything. */
  follow(): void;
}

/** Makes the live updates of a client: what `liveUpdates()` returns. */
export type StartLive = (client: LiveClient) => LiveUpdates;
