/** The server's side of ObjectQL sync. */
export type { Authorize, ReadPermission, ReadQuestion, WriteQuestion } from './authorize.js';
export type { FeedWatcher } from './feed-watch.js';
export {
  type Authenticate,
  createSyncEndpoint,
  type SyncEndpoint,
  type SyncEndpointOptions,
} from './http/sync-endpoint.js';
export type { Principal, SyncContext } from './principal.js';
export type { RecordChange } from './record-change.js';
export type { RecordedChange } from './record-changes.js';
export { type RecordResolver, RejectionError, storeResolver, type WriteContext } from './record-resolver.js';
export { DEFAULT_LIMITS, type ServerLimits } from './server-limits.js';
export { MemoryStore, type MemoryStoreOptions } from './storage/memory-store.js';
export type { PostgresClient, PostgresPool } from './storage/postgres-pool.js';
export { PostgresStore, type PostgresStoreOptions } from './storage/postgres-store.js';
export { NewerSchemaError } from './storage/schema-version.js';
export type { SqliteDatabase, SqliteStatement } from './storage/sqlite-database.js';
export { SqliteStore, type SqliteStoreOptions } from './storage/sqlite-store.js';
export type {
  FeedRecord,
  Intent,
  LedgerOutcome,
  LedgerRow,
  Loaded,
  LoadRequest,
  LogRow,
  Page,
  PageQuery,
  PruneSlice,
  RecordState,
  Saved,
  SaveRequest,
  StoredRecord,
  StoreFacts,
  StoreTransaction,
  SyncStore,
} from './storage/sync-store.js';
export { StoreBusyError } from './storage/sync-store.js';
export { SyncHandler, type SyncHandlerOptions, type SyncWarning } from './sync-handler.js';
export { type SyncProtocol, SyncProtocolPlugin, type SyncProtocolPluginOptions } from './sync-protocol-plugin.js';
export { SyncRequestError } from './sync-request-error.js';
export type { ListQuery, RecordPage, SyncedRecord } from './synced-record.js';
