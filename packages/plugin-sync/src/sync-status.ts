/** How sync stands, as a user interface shows it. */

import type { SyncState } from './cycle/sync-state.js';
import type { LiveStatus } from './live/live-port.js';

/** What the client knows that talks to the server. */
export type SyncFacts = Pick<CommonStatus, 'clockSkewMs' | 'live' | 'progress' | 'lastError' | 'lastErrorCode'>;

/** What a status tells in every state. */
export interface CommonStatus {
  /** Mutations that are not settled. */
  readonly pending: number;
  /** Conflicts that wait for the user. */
  readonly conflicts: number;
  /** Refused mutations that wait for the user. */
  readonly deadLetters: number;
  /**
   * True while the storage fails: the last mutations, or what the server sent, could not be stored. It tries again by
   * itself.
   */
  readonly isStorageFailing: boolean;
  /** True when something waits for the user: a conflict, a dead letter, a sign-in, or a storage that fails. */
  readonly attention: boolean;
  /** How far the device's clock is ahead of the server's, in milliseconds; `null` before the first answer. */
  readonly clockSkewMs: number | null;
  /** Set during a sync of more than one page: how many changes came so far. */
  readonly progress: { readonly received: number } | null;
  /** How the client learns of others' changes; `off` without `liveUpdates()`. */
  readonly live: LiveStatus;
  /**
   * The message of the last failure; `null` after a success. While a mutation lets others go first because it fails
   * again and again, the message of its failure.
   */
  readonly lastError: string | null;
  /** Its code, e.g. `FULL` of a `StorageError`; `null` if it has none, as with a transport's. */
  readonly lastErrorCode: string | number | null;
}

/** How a client stands: `state`, what is pending, and whether something needs the user (`attention`). */
export type SyncStatus = CommonStatus &
  (
    | { readonly state: 'idle' | 'syncing' | 'offline' | 'paused' | 'disabled' | 'closed' }
    /** The next try is at `until`, epoch milliseconds. */
    | { readonly state: 'waiting'; readonly until: number }
    | { readonly state: 'needs-auth'; readonly why: 'unauthenticated' | 'wrong-user' }
  );

/** The status, from a machine's state and what else is known. */
export function statusOf(state: SyncState, known: Omit<CommonStatus, 'attention'>): SyncStatus {
  const isWaiting = known.conflicts > 0 || known.deadLetters > 0;
  const attention = isWaiting || known.isStorageFailing || state.at === 'needs-auth';
  const common = { ...known, attention };
  if (state.at === 'waiting') return { ...common, state: 'waiting', until: state.until };
  if (state.at === 'needs-auth') return { ...common, state: 'needs-auth', why: state.why };
  return { ...common, state: state.at };
}
