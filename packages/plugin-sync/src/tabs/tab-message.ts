/** What tabs tell each other. Data travels only through the storage: messages say that, and where, it changed. */

import type { MutationOutcome } from '../answer/mutation-outcome.js';
import type { SyncState } from '../cycle/sync-state.js';
import type { Told } from '../listeners/listeners.js';
import type { Changed } from '../records/record-watch.js';
import type { SyncFacts } from '../sync-status.js';

/**
 * Rises when a tab of the last release would misunderstand what this one tells, or the other way round. It is part of the
 * name of channel and lock: tabs of two versions would take the lock from each other without end, because neither hears
 * that the other leads.
 */
const MESSAGES_VERSION = 1;

/** The name of channel and lock of all tabs that understand each other and share the storage of this name. */
export function groupName(sharedName: string): string {
  return `objectql-sync-${MESSAGES_VERSION}:${sharedName}`;
}

export type TabMessage =
  /** From every follower now and then, and from every new tab: who leads, and how does sync stand? */
  | { readonly type: 'asked' }
  /** From the leader: how sync stands. `term` is new with each leadership. */
  | {
      readonly type: 'stands';
      readonly term: string;
      readonly state: SyncState;
      readonly facts: SyncFacts;
      readonly isPaused: boolean;
      /** False while nobody sees it, and while its storage fails: another tab is then the better leader. */
      readonly isSeen: boolean;
    }
  /** A tab begins to write. If it does not tell that it has, it may have all the same, and the storage must be read. */
  | { readonly type: 'writing' }
  | { readonly type: 'wrote'; readonly revision: number; readonly changed: Changed }
  /** From who has stored the answer, most often the leader: these are settled. */
  | { readonly type: 'settled'; readonly outcomes: readonly (readonly [string, MutationOutcome])[] }
  /** From the leader: tell the listeners of this tab too. */
  | { readonly type: 'happened'; readonly event: TabEvent }
  /** To the leader: somebody paused, resumed, or forgot a scheduled sync. */
  | { readonly type: 'told'; readonly what: 'paused' | 'resumed' | 'cancelled' }
  /** To the leader: do this for me. */
  | { readonly type: 'wants'; readonly id: string; readonly wish: Wish }
  /** From the leader: it is done. */
  | { readonly type: 'done'; readonly id: string; readonly value: unknown; readonly error: WishError | undefined };

/** What only the leader can do. */
export type Wish = { readonly do: 'sync' } | { readonly do: 'outcome'; readonly mutationId: string };

/** Why it was not done: what survives of an error on the way between tabs. */
export interface WishError {
  readonly code: string | undefined;
  readonly message: string;
}

/** What listeners hear in every tab. */
export type TabEvent =
  | { readonly [Name in keyof Told]: { readonly on: Name; readonly told: Told[Name] } }[keyof Told]
  | { readonly on: 'onSyncError'; readonly told: string };

/** A message on its way. */
export interface Envelope {
  readonly from: string;
  readonly message: TabMessage;
}
