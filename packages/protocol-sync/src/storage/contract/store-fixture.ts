/** How the store contract gets at the implementation it tests. */
import type { SyncStore } from '../sync-store.js';

/** What not every engine can do. */
export type StoreAbility = 'reopen' | 'openAnother' | 'backUp' | 'makeNewer' | 'notes';

/** An implementation under test. */
export interface StoreUnderTest {
  /** Gives every test a store of its own. */
  readonly open: OpenStore;
  /** What its fixtures offer beside the store; what needs an ability that is missing here is not tested. Default: nothing. */
  readonly abilities?: readonly StoreAbility[];
}

/** One store under test. What an engine cannot do is left out. */
export interface StoreFixture {
  /** An open store that was never written. */
  readonly store: SyncStore;
  /** Closes `store` and opens what it left behind. */
  readonly reopen?: () => Promise<SyncStore>;
  /** Opens a second store on the same data, as another process does. */
  readonly openAnother?: () => Promise<SyncStore>;
  /** Takes a copy of what is stored now. */
  readonly backUp?: () => Promise<StoreBackup>;
  /** Marks what is stored as written by a later release. */
  readonly makeNewer?: () => Promise<void>;
  /** Data beside the store's own, as resolvers write it. */
  readonly notes?: {
    /** Writes a note through a transaction's `handle`; refuses one that is there already. */
    readonly add: (handle: unknown, note: string) => Promise<void>;
    /** The notes that are committed, sorted. */
    readonly list: () => Promise<readonly string[]>;
  };
  /** Closes and deletes everything. */
  readonly remove: () => Promise<void>;
}

/** A copy of what was stored. */
export interface StoreBackup {
  /** Opens a store on it, as a server that is set up from it. What it is a copy of may be gone then. */
  readonly open: () => Promise<SyncStore>;
  /** Puts it back under the stores that are open. */
  readonly putBack: () => Promise<void>;
}

export type OpenStore = () => Promise<StoreFixture>;
