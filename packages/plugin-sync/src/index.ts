/** The client's side of ObjectQL sync: records changes offline, syncs them, and decides conflicts. */
export type {
  JsonObject,
  MutationLogEntry,
  RecordId,
  Strategy,
  StrategyName,
  SyncConfig,
  SyncConflict,
  SyncPullRequest,
  SyncPushRequest,
  SyncPushResponse,
  SyncServerChange,
} from '@objectql/sync-types';
export type { MutationOutcome } from './answer/mutation-outcome.js';
export {
  type Choice,
  ConflictResolver,
  type ConflictSurroundings,
  type MergedRecord,
  type OnConflict,
  type Resolution,
  type ResolverOptions,
} from './conflicts/conflict-resolver.js';
export type { DroppedFields, SyncEventListener } from './listeners/sync-listener.js';
export type { LiveClient, LiveStatus, LiveUpdates, StartLive } from './live/live-port.js';
export { type LiveUpdatesOptions, liveUpdates } from './live/live-updates.js';
export { MutationLogger, type MutationLoggerOptions } from './log/mutation-logger.js';
export type { NewMutation } from './log/new-mutation.js';
export type { Platform } from './platform/platform.js';
export { systemPlatform } from './platform/system-platform.js';
export type { NewFields, ObjectRecords, RecordData } from './records/object-records.js';
export type { LocalRecord } from './records/rebase.js';
export {
  type BaseRecord,
  CheckpointMovedError,
  type ClientMeta,
  type ClientState,
  type ClientStorage,
  type DeadLetter,
  type ParkedConflict,
  RevisionMovedError,
  type StorageBatch,
  type StoredEntry,
} from './storage/client-storage.js';
export { MemoryStorage } from './storage/memory-storage.js';
export type { SqliteDatabase } from './storage/sqlite-database.js';
export { SqliteStorage } from './storage/sqlite-storage.js';
export { StorageError, type StorageErrorCode } from './storage/storage-error.js';
export type { SyncClient } from './sync-client.js';
export { SyncEngine, type SyncEngineOptions } from './sync-engine.js';
export { SyncPlugin, type SyncPluginOptions } from './sync-plugin.js';
export type { SyncStatus } from './sync-status.js';
export { SyncUsageError, type SyncUsageErrorCode } from './sync-usage-error.js';
export { type HttpTransportOptions, httpTransport, type TokenProvider } from './transport/http-transport.js';
export {
  type SyncTransport,
  TransportError,
  type TransportFailure,
  type TransportOptions,
} from './transport/transport.js';
export type { ConflictList } from './waiting/conflict-list.js';
export type { DeadLetterList } from './waiting/dead-letter-list.js';
