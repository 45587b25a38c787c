/** A rule switched off, by changing what passes through a port: nothing in the product knows of it. */
import type { StorageBatch } from '@objectql/plugin-sync';
import type {
  Authorize,
  LedgerRow,
  Loaded,
  LoadRequest,
  Page,
  RecordResolver,
  SaveRequest,
} from '@objectql/protocol-sync';
import type { SyncConfig, SyncPushRequest, SyncPushResponse } from '@objectql/sync-types';
import type { ServerTruth } from './server-truth.js';
import type { Shadow } from './shadow.js';
import type { Invariant } from './violation.js';

/** What a mutant changes; what it leaves out stays as it is. */
export interface Mutant {
  readonly name: string;
  /** What the server reads from its store, given the outcomes that this very process has saved. */
  readonly loaded?: (loaded: Loaded, request: LoadRequest, own: ReadonlyMap<string, LedgerRow>) => Loaded;
  /** What the server saves. */
  readonly saved?: (request: SaveRequest) => SaveRequest;
  readonly page?: (page: Page) => Page;
  /** What arrives at the server. */
  readonly request?: (request: SyncPushRequest, truth: ServerTruth) => SyncPushRequest;
  /** What leaves the server. */
  readonly answer?: (answer: SyncPushResponse, truth: ServerTruth) => SyncPushResponse;
  /** True when the place an answer ends at is told before the answer itself. */
  readonly isAnnounced?: (answer: SyncPushResponse) => boolean;
  /** Whom the server takes the sender for. */
  readonly principal?: (user: string, request: SyncPushRequest, truth: ServerTruth) => string;
  /** What the application allows. */
  readonly authorize?: (authorize: Authorize) => Authorize;
  /** How the application is asked. */
  readonly resolver?: (resolver: RecordResolver) => RecordResolver;
  /** How the server decides an object's conflicts. */
  readonly config?: (config: SyncConfig) => SyncConfig;
  /** What a device stores, in as many steps. */
  readonly batch?: (batch: StorageBatch, stored: Shadow) => readonly StorageBatch[];
  /** True when each mutation of a push is handled as a request of its own. */
  readonly isSplitting?: boolean;
  /** True when a restored server goes on in the epoch of its backup. */
  readonly isCarryingOn?: boolean;
  /** True when a device calls durable what it is about to write. */
  readonly isToldEarly?: boolean;
  /** True when a device sends what it is about to write. */
  readonly isSentEarly?: boolean;
  /** True when a power cut takes records and leaves the place in the feed behind them. */
  readonly isTorn?: boolean;
  /** True when no timer of a device goes off. */
  readonly isWithoutTimers?: boolean;
  /** True when writes past sync do not come to its notice. */
  readonly isBlindToOthers?: boolean;
  /** How far the server's idea of the time is ahead. */
  readonly serverAheadMs?: number;
}

/** A mutant and what notices it. */
export interface ExpectedMutant extends Mutant {
  readonly breaks: Invariant;
  /** A seed between 1 and 1,000 that notices it; `kept` where none of them does, but a kept schedule that once broke the same. */
  readonly hint: number | 'kept';
}
