/** How much an app may have to download for sync. Ceilings come down with each gain, and go up by decision only. */

export interface BundleBudget {
  /** What is bundled: a module whose imports are relative to `src`. */
  readonly code: string;
  /** Minified and gzipped bytes of what is loaded at once. */
  readonly maxInitialBytes: number;
  /** The same with what is loaded when it is needed. */
  readonly maxTotalBytes: number;
  /** Packages the app has anyway. */
  readonly external?: readonly string[];
}

/** An app that records, syncs over HTTP, reads records, and sees conflicts and dead letters. */
export const CORE = `export { SyncEngine, httpTransport, MutationLogger } from './index.js';`;

/** By what the app uses. */
export const BUNDLE_BUDGETS: Readonly<Record<string, BundleBudget>> = {
  'engine, log and HTTP transport': { code: CORE, maxInitialBytes: 23_390, maxTotalBytes: 23_390 },
  'the same with IndexedDB': {
    code: `${CORE} export { IndexedDbStorage } from './storage/indexeddb-storage.js';`,
    maxInitialBytes: 25_964,
    maxTotalBytes: 25_964,
  },
  'the same with IndexedDB and tabs': {
    code: `${CORE} export { IndexedDbStorage } from './storage/indexeddb-storage.js'; export { sharedTabs } from './tabs/shared-tabs.js';`,
    maxInitialBytes: 28_874,
    maxTotalBytes: 28_874,
  },
  'the same with IndexedDB and live updates': {
    code: `${CORE} export { liveUpdates } from './index.js'; export { IndexedDbStorage } from './storage/indexeddb-storage.js';`,
    maxInitialBytes: 27_695,
    maxTotalBytes: 27_695,
  },
  'the same with IndexedDB, tabs and live updates': {
    code: `${CORE} export { liveUpdates } from './index.js'; export { IndexedDbStorage } from './storage/indexeddb-storage.js'; export { sharedTabs } from './tabs/shared-tabs.js';`,
    maxInitialBytes: 30_559,
    maxTotalBytes: 30_559,
  },
  'the React hooks': {
    code: `export { useConflicts, useDeadLetters, useRecord, useRecords, useSyncStatus } from './react/hooks.js';`,
    external: ['react'],
    maxInitialBytes: 1_116,
    maxTotalBytes: 1_116,
  },
};
