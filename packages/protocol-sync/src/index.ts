/** The server's side of ObjectQL sync. */

export type { FeedWatcher } from './feed/feed-watch.js';
export {
  type Authenticate,
  createSyncEndpoint,
  type SyncEndpoint,
  type SyncEndpointOptions,
} from './http/sync-endpoint.js';
export type { Principal, SyncContext } from './principal.js';
export type { RecordChange } from './records/record-change.js';
export { type RecordResolver, RejectionError, storeResolver, type WriteContext } from './records/record-resolver.js';
export type { ListQuery, RecordPage, SyncedRecord } from './records/synced-record.js';
export type { RecordedChange } from './records/take-changes.js';
export type { Authorize, ReadPermission, ReadQuestion, WriteQuestion } from './rules/authorize.js';
export { DEFAULT_LIMITS, type ServerLimits } from './server-limits.js';
export { MemoryStore, type MemoryStoreOptions } from './storage/memory/memory-store.js';
export type { PostgresClient, PostgresPool } from './storage/postgres/postgres-pool.js';
export { PostgresStore, type PostgresStoreOptions } from './storage/postgres/postgres-store.js';
export { NewerSchemaError } from './storage/schema-version.js';
export type { SqliteDatabase, SqliteStatement } from './storage/sqlite/sqlite-database.js';
export { SqliteStore, type SqliteStoreOptions } from './storage/sqlite/sqlite-store.js';
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
export { SyncHandler } from './sync-handler.js';
export type { SyncHandlerOptions, SyncWarning } from './sync-handler-options.js';
export { type SyncProtocol, SyncProtocolPlugin, type SyncProtocolPluginOptions } from './sync-protocol-plugin.js';
export { SyncRequestError } from './sync-request-error.js';
