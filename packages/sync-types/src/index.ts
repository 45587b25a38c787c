/** Types of the wire and the conflict strategies. Holds no parser: the schemas are under `/schema`. */
export { assertNever } from './assert-never.js';
export { isJsonWithin, utf8Bytes } from './bytes.js';
export type { ConflictKind, SyncConflict, WriteStamp } from './conflict.js';
export { DurableObjectDatabase, type DurableObjectSql, sqliteDatabase } from './durable-object.js';
export {
  isRequestErrorCode,
  isRetryable,
  RETRYABLE_CODES,
  type RejectionCode,
  type RequestErrorCode,
  STATUS_BY_CODE,
  TERMINAL_CODES,
  type ToldRejectionCode,
} from './error-code.js';
export type { Json, JsonLimits, JsonObject, JsonProblem } from './json.js';
export { findJsonProblem, jsonEquals, ownValue } from './json.js';
export type { SyncLimits } from './limits.js';
export {
  ASSUMED_MAX_MUTATIONS,
  CHANGE_LOG_RETENTION_DAYS,
  MAX_BODY_BYTES,
  MAX_FIELDS,
  MAX_ID_BYTES,
  MAX_JSON_DEPTH,
  MAX_MUTATIONS,
  MAX_OBJECTS,
  MAX_PAGE_BYTES,
  MAX_PAGE_RECORDS,
  MAX_RECORD_BYTES,
  NEXT_PAGE_HEADER,
  REQUEST_TIMEOUT_MS,
  STREAM_HEARTBEAT_MS,
} from './limits.js';
export type { MutationLogEntry, MutationOperation } from './mutation.js';
export type { SyncPoke } from './poke.js';
export type { SyncPullRequest } from './pull.js';
export type { SyncMutationResult, SyncPushRequest, SyncPushResponse, SyncReset } from './push.js';
export { type RecordId, type RecordRef, recordKey, refOf } from './record-key.js';
export { RecordMap } from './record-map.js';
export type { SyncServerChange } from './server-change.js';
export { crdt } from './strategies/crdt.js';
export { findStrategy, STRATEGIES } from './strategies/find-strategy.js';
export { lastWriteWins } from './strategies/last-write-wins.js';
export { manual } from './strategies/manual.js';
export type { Contest, Strategy, Verdict } from './strategies/strategy.js';
export { compareWrites, countedFields, laterFields, lostByTime } from './strategies/strategy.js';
export { STRATEGY_NAMES, type StrategyName } from './strategies/strategy-name.js';
export type { SyncConfig, SyncDirection } from './sync-config.js';
export { DEFAULT_BATCH_SIZE, DEFAULT_DEBOUNCE_MS, SYNC_DIRECTIONS } from './sync-config.js';
export type { SyncErrorBody } from './sync-error.js';
export type { Expectation, Matchers, RejectionMatchers, TestFramework } from './test-framework.js';
