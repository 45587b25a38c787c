/** What came of a push: its results, and what the page in the same answer needs to know of its writes. */
import type { SyncMutationResult } from '@objectql/sync-types';
import type { RecordState, StoreFacts } from '../storage/sync-store.js';

/** The results of a push, in its order, and the records it wrote. */
export interface Pushed {
  readonly results: readonly SyncMutationResult[];
  readonly written: readonly OwnWrite[];
  /** The records that results are about; when one record has two states, the later one stands last. */
  readonly seen: readonly RecordState[];
  /** Where the push's records stand in the feed, if one transaction saved them all. */
  readonly stretch?: FeedStretch | undefined;
  /** The feed's head before the push. */
  readonly headBefore: number;
  /** The state of the feed when the results were made; absent if there was nothing to do. */
  readonly end?: FeedEnd;
}

/** A push without mutations, or from a client of another feed, whose page tells the reset. */
export const NOTHING_PUSHED: Pushed = { results: [], written: [], seen: [], headBefore: Number.POSITIVE_INFINITY };

/** The epoch and head of a feed. */
export type FeedEnd = Pick<StoreFacts, 'epoch' | 'head'>;

/** The end of the feed as one transaction made it: the last `places` places, up to `facts.head`, are its own. */
export interface FeedStretch {
  readonly facts: StoreFacts;
  readonly places: number;
  /** Whether the client's own mutations wrote all of these records. */
  readonly isOwn: boolean;
}

/** A write of this request: its record need not be echoed to the client that made it. */
export interface OwnWrite {
  readonly state: RecordState;
  readonly computable: boolean;
}
