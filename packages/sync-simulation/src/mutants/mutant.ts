/** A rule that is switched off by changing what passes through a port: the product does not know of it. */
import type { ClientMeta, StorageBatch } from '@objectql/plugin-sync';
import type { LockRequest } from '@objectql/plugin-sync/tabs';
import type {
  Authorize,
  FeedWatcher,
  LedgerRow,
  Loaded,
  LoadRequest,
  Page,
  RecordResolver,
  SaveRequest,
} from '@objectql/protocol-sync';
import type { SyncConfig, SyncPushRequest, SyncPushResponse } from '@objectql/sync-types';
import type { EngineQuery, EngineRow } from '@objectql/sync-types/kernel';
import type { ServerTruth } from '../server-truth.js';
import type { Shadow } from '../shadow.js';
import type { TabTold } from '../tabs/tab-channel.js';
import type { Invariant } from '../violation.js';

/** What a mutant changes; whatever it omits stays as it is. */
export interface Mutant {
  readonly name: string;
  /** What the server reads from its store, given the outcomes that this same process has saved. */
  readonly loaded?: (loaded: Loaded, request: LoadRequest, own: ReadonlyMap<string, LedgerRow>) => Loaded;
  /** What the server saves. */
  readonly saved?: (request: SaveRequest) => SaveRequest;
  readonly page?: (page: Page) => Page;
  /** What arrives at the server. */
  readonly request?: (request: SyncPushRequest, truth: ServerTruth) => SyncPushRequest;
  /** What leaves the server. */
  readonly answer?: (answer: SyncPushResponse, truth: ServerTruth) => SyncPushResponse;
  /** True when the place where an answer ends is announced before the answer itself. */
  readonly isAnnounced?: (answer: SyncPushResponse) => boolean;
  /** The user for whom the server takes the sender. */
  readonly principal?: (user: string, request: SyncPushRequest, truth: ServerTruth) => string;
  /** What the application allows. */
  readonly authorize?: (authorize: Authorize) => Authorize;
  /** How the application is asked. */
  readonly resolver?: (resolver: RecordResolver) => RecordResolver;
  /** How the server decides an object's conflicts. */
  readonly config?: (config: SyncConfig) => SyncConfig;
  /** What a device stores, in this many steps. */
  readonly batch?: (batch: StorageBatch, stored: Shadow) => readonly StorageBatch[];
  /** True when each mutation of a push is handled as a request of its own. */
  readonly isSplitting?: boolean;
  /** True when a restored server goes on in the epoch of its backup. */
  readonly isCarryingOn?: boolean;
  /** True when a device calls durable what it has yet to write. */
  readonly isToldEarly?: boolean;
  /** True when a device sends what it has yet to write. */
  readonly isSentEarly?: boolean;
  /** True when a power cut takes records but keeps the place in the feed. */
  readonly isTorn?: boolean;
  /** Whether a device's timer of so many milliseconds goes off. */
  readonly goesOff?: (delayMs: number) => boolean;
  /** Whether a server's timer does. */
  readonly goesOffAtServer?: (delayMs: number) => boolean;
  /** The random numbers that spread a device's tries. */
  readonly jitter?: () => number;
  /** True when it does not notice writes past sync. */
  readonly isBlindToOthers?: boolean;
  /** The rows that a local data engine answers. */
  readonly found?: (objectName: string, rows: readonly EngineRow[], asked: Asked) => readonly EngineRow[];
  /** False for an object whose new rows a local data engine forgets. */
  readonly isInserted?: (objectName: string) => boolean;
  /** True for an object whose new rows a local data engine commits at once, whatever their transaction. */
  readonly isBesideTransactions?: (objectName: string) => boolean;
  /** True when a local data engine commits a transaction that is to be rolled back. */
  readonly isCommittedAnyway?: boolean;
  /** By whose deletes a local data engine deletes or changes other records without telling anybody. */
  readonly cascadingUnseen?: 'app' | 'sync';
  /** True when nothing can be written past the definitions of a local data engine. */
  readonly isDriverRefusing?: boolean;
  /** True when nobody hears what a local data engine refuses. */
  readonly isRefusingSilently?: boolean;
  /** True when a local data engine is told that a sync has ended before one has begun. */
  readonly isSweptEarly?: boolean;
  /** True when a local data engine is told late what has changed. */
  readonly isEngineToldLate?: boolean;
  /** What the server's endpoint hears of the feed for a live stream. */
  readonly watcher?: (watcher: Omit<FeedWatcher, 'scope'>) => Omit<FeedWatcher, 'scope'>;
  /** The user whose live stream it is, by the token of the session. */
  readonly streamUser?: (token: string) => string;
  /** True when live updates go on in a page that nobody looks at. */
  readonly isRestless?: boolean;
  /** True when a live stream goes on that its client has left. */
  readonly isStreamKept?: boolean;
  /** What other tabs hear of what a tab tells them; nothing if `undefined`. */
  readonly tabTold?: (told: TabTold) => TabTold | undefined;
  /** How a browser understands a tab's wish for a lock. */
  readonly lockRequest?: (request: LockRequest) => LockRequest;
  /** True when a page is not told that it freezes. */
  readonly isFreezeUntold?: boolean;
  /** True when tabs of two versions of the app ask for one lock, though they do not hear each other. */
  readonly isLockShared?: boolean;
  /** True when each tab believes that the user sees it. */
  readonly isEachTabSeen?: boolean;
  /** Whether a tab's timer of so many milliseconds goes off. */
  readonly goesOffInTab?: (delayMs: number) => boolean;
  /** How far the server's idea of the time is ahead. */
  readonly serverAheadMs?: number;
}

/** What a local data engine was asked. */
export interface Asked {
  readonly query: EngineQuery;
  /** By the device's clock. */
  readonly now: number;
  /** The feed and the log of its client. */
  readonly client: Pick<ClientMeta, 'epochs' | 'logId'>;
}

/** A mutant and what notices it. */
export interface ExpectedMutant extends Mutant {
  readonly breaks: Invariant;
  /**
   * A seed between 1 and 1,000 that notices it; `kept` if none does, but a kept schedule that once broke the same, or one
   * like it.
   */
  readonly hint: number | 'kept';
}
