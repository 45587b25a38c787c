/** What an application says when it records a change, checked and made its own. */
import {
  findJsonProblem,
  type Json,
  type JsonObject,
  MAX_FIELDS,
  MAX_ID_BYTES,
  MAX_JSON_DEPTH,
  MAX_RECORD_BYTES,
  type MutationOperation,
  type RecordRef,
  stringProblem,
  utf8Bytes,
} from '@objectql/sync-types';
import { frozenCopy } from './storage/frozen-copy.js';
import { SyncUsageError } from './sync-usage-error.js';

/** A change to record. */
export interface NewMutation extends RecordRef {
  readonly operation: MutationOperation;
  /** `create`: the whole record. `update`: the changed fields. `delete`: nothing. Plain JSON only. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  /** The record's version the user saw; `null` for a record that is new or whose version is unknown. */
  readonly baseVersion: number | null;
}

const OPERATIONS: readonly string[] = ['create', 'update', 'delete'] satisfies readonly MutationOperation[];

/** A frozen copy of what the application handed in, or a `SyncUsageError` that names what cannot be stored. */
export function checkNewMutation(input: NewMutation): NewMutation & { readonly data?: JsonObject } {
  const { objectName, recordId, operation, data, baseVersion } = input;
  checkName('objectName', objectName);
  checkRecordId(recordId);
  if (!OPERATIONS.includes(operation)) refuse(`operation must be one of ${OPERATIONS.join(', ')}, not ${operation}`);
  if (baseVersion !== null && !(Number.isSafeInteger(baseVersion) && baseVersion >= 0)) {
    refuse(`baseVersion must be null or a version the server gave, not ${String(baseVersion)}`);
  }
  const checked = { objectName, recordId, operation, baseVersion };
  if (operation === 'delete') {
    if (data !== undefined) refuse('a delete carries no data');
    return checked;
  }
  return data === undefined ? checked : { ...checked, data: checkData(data) };
}

function checkName(name: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') refuse(`${name} must be a non-empty string`);
  if (utf8Bytes(value) > MAX_ID_BYTES) refuse(`${name} may not be longer than ${MAX_ID_BYTES} bytes`);
  const problem = stringProblem(value, name);
  if (problem) refuse(`${name} ${problem.problem}`);
}

function checkRecordId(recordId: unknown): void {
  if (typeof recordId !== 'number') return checkName('recordId', recordId);
  if (!Number.isSafeInteger(recordId)) refuse(`recordId must be a string or a safe integer, not ${recordId}`);
}

function checkData(data: Readonly<Record<string, unknown>>): JsonObject {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) refuse('data must be an object of fields');
  const found = findJsonProblem(data, { maxDepth: MAX_JSON_DEPTH });
  if (found) refuse(`data${found.path.slice(1)} ${found.problem}`);
  if (Object.keys(data).length > MAX_FIELDS) refuse(`data may not have more than ${MAX_FIELDS} fields`);
  // findJsonProblem has just shown that every value in it is JSON.
  const copy = frozenCopy(data) as Readonly<Record<string, Json>>;
  const bytes = utf8Bytes(JSON.stringify(copy));
  if (bytes > MAX_RECORD_BYTES) refuse(`data is ${bytes} bytes; a record may not be larger than ${MAX_RECORD_BYTES}`);
  return copy;
}

function refuse(problem: string): never {
  throw new SyncUsageError('INVALID_MUTATION', `The mutation was not recorded: ${problem}.`);
}
