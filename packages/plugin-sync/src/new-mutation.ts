/** What an application says when it records a change, checked and made its own. */
import {
  findJsonProblem,
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
import { frozen } from './storage/frozen-copy.js';
import { SyncUsageError, type SyncUsageErrorCode } from './sync-usage-error.js';

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

/** Throws `SyncUsageError` unless the value is a string that every store and server keeps as an id. */
export function checkIdentifier(name: string, value: unknown, code: SyncUsageErrorCode): asserts value is string {
  const problem = identifierProblem(value);
  if (problem) throw new SyncUsageError(code, `${name} ${problem}.`);
}

function identifierProblem(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '') return 'must be a non-empty string';
  if (utf8Bytes(value) > MAX_ID_BYTES) return `may not be longer than ${MAX_ID_BYTES} bytes`;
  return stringProblem(value, '')?.problem;
}

function checkName(name: string, value: unknown): void {
  const problem = identifierProblem(value);
  if (problem) refuse(`${name} ${problem}`);
}

function checkRecordId(recordId: unknown): void {
  if (typeof recordId !== 'number') checkName('recordId', recordId);
  else if (!Number.isSafeInteger(recordId)) refuse(`recordId must be a string or a safe integer, not ${recordId}`);
}

function checkData(data: Readonly<Record<string, unknown>>): JsonObject {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) refuse('data must be an object of fields');
  if (Object.keys(data).length > MAX_FIELDS) refuse(`data may not have more than ${MAX_FIELDS} fields`);
  const found = findJsonProblem(data, { maxDepth: MAX_JSON_DEPTH });
  if (found) refuse(`data${found.path.slice(1)} ${found.problem}`);
  const json = JSON.stringify(data);
  const bytes = utf8Bytes(json);
  if (bytes > MAX_RECORD_BYTES) refuse(`data is ${bytes} bytes; a record may not be larger than ${MAX_RECORD_BYTES}`);
  return frozen(JSON.parse(json));
}

function refuse(problem: string): never {
  throw new SyncUsageError('INVALID_MUTATION', `The mutation was not recorded: ${problem}.`);
}
