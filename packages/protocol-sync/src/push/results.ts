/** The results of a push, one builder for each kind. */
import {
  type Contest,
  isRetryable,
  type Json,
  type JsonObject,
  MAX_FIELDS,
  type MutationLogEntry,
  type RejectionCode,
  type SyncConflict,
  type SyncMutationResult,
} from '@objectql/sync-types';
import type { ObjectRules } from '../rules/object-rules.js';
import type { RecordState } from '../storage/sync-store.js';

export interface Rejection {
  readonly code: RejectionCode;
  readonly reason: string;
  readonly retryAfterMs?: number;
}

export interface Applied {
  readonly serverVersion: number;
  /** The record now; `undefined` when the client can compute it from what it has. */
  readonly record?: JsonObject | null | undefined;
  readonly droppedFields?: readonly string[];
}

export function appliedResult(mutationId: string, applied: Applied): SyncMutationResult {
  const { serverVersion, record, droppedFields = [] } = applied;
  // Most results have only these fields, and spreading absent ones costs more than all the rest.
  const result: Writable<Extract<SyncMutationResult, { status: 'applied' }>> = {
    status: 'applied',
    mutationId,
    serverVersion,
  };
  if (record !== undefined) result.record = record;
  if (droppedFields.length > 0) result.droppedFields = [...droppedFields];
  return result;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

export function rejectedResult(mutationId: string | undefined, rejection: Rejection): SyncMutationResult {
  const { code, reason, retryAfterMs } = rejection;
  return {
    status: 'rejected',
    ...(mutationId === undefined ? {} : { mutationId }),
    code,
    reason,
    ...(isRetryable(code) ? { retryable: true } : {}),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

export function conflictResult(
  mutation: MutationLogEntry,
  meeting: { readonly contest: Contest; readonly before: RecordState; readonly rules: ObjectRules },
): SyncMutationResult {
  return { status: 'conflict', mutationId: mutation.id, conflict: describeConflict(mutation, meeting) };
}

/** What becomes of a conflict with a record that is gone, or is gone for this caller. */
export function goneConflictResult(mutationId: string): SyncMutationResult {
  return rejectedResult(mutationId, {
    code: 'NOT_FOUND',
    reason: 'The record this conflicted with is no longer there.',
  });
}

function describeConflict(
  clientMutation: MutationLogEntry,
  { contest, before, rules }: { readonly contest: Contest; readonly before: RecordState; readonly rules: ObjectRules },
): SyncConflict {
  const { objectName, recordId, kind, fields, mine, theirs } = contest;
  const suggestion = theirs.record && suggest(theirs.record, mine.data, fields);
  return {
    objectName,
    recordId,
    clientMutation,
    serverRecord: theirs.record,
    conflictingFields: [...fields],
    kind,
    serverVersion: before.version,
    // No client would accept an answer that holds a record with more fields than allowed.
    ...(suggestion && Object.keys(suggestion).length <= MAX_FIELDS ? { suggestedResolution: suggestion } : {}),
    ...(rules.strategyName ? { strategy: rules.strategyName } : {}),
    ...(rules.conflictFields ? { conflictFields: [...rules.conflictFields] } : {}),
    clientStamp: mine.stamp,
    ...(Object.keys(theirs.stamps).length > 0 ? { serverStamps: { ...theirs.stamps } } : {}),
    ...(theirs.deleted ? { deletedStamp: theirs.deleted } : {}),
  };
}

/** The server's record with the client's uncontested fields: both sides can agree on it and nobody loses. */
function suggest(record: JsonObject, mine: JsonObject, contested: readonly string[]): JsonObject {
  const suggestion: Record<string, Json> = { ...record };
  for (const [field, value] of Object.entries(mine)) if (!contested.includes(field)) suggestion[field] = value;
  return suggestion;
}
