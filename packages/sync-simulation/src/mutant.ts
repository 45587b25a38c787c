/** A rule switched off, by changing what passes through a port: nothing in the product knows of it. */
import type { StorageBatch } from '@objectql/plugin-sync';
import type { Loaded, Page, SaveRequest } from '@objectql/protocol-sync';
import type { SyncPushRequest, SyncPushResponse } from '@objectql/sync-types';
import type { ServerTruth } from './server-truth.js';

/** What a mutant changes; what it leaves out stays as it is. */
export interface Mutant {
  readonly name: string;
  /** What the server reads from its store. */
  readonly loaded?: (loaded: Loaded) => Loaded;
  /** What the server saves. */
  readonly saved?: (request: SaveRequest) => SaveRequest;
  readonly page?: (page: Page) => Page;
  /** What arrives at the server. */
  readonly request?: (request: SyncPushRequest, truth: ServerTruth) => SyncPushRequest;
  /** What leaves the server. */
  readonly answer?: (answer: SyncPushResponse, truth: ServerTruth) => SyncPushResponse;
  /** What a device stores. */
  readonly batch?: (batch: StorageBatch) => StorageBatch;
  /** True when each mutation of a push is handled as a request of its own. */
  readonly isSplitting?: boolean;
  /** True when a restored server keeps its epoch. */
  readonly isKeepingEpoch?: boolean;
}
