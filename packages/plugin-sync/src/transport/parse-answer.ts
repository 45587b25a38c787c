/**
 * Reads an answer that may come from anything that speaks HTTP. Checked by hand, because a schema library would weigh
 * more than the rest of the client; a property test holds it to the schemas of `sync-types`.
 */
import {
  findJsonProblem,
  MAX_JSON_DEPTH,
  REQUEST_ERROR_CODES,
  type RequestErrorCode,
  type SyncMutationResult,
  type SyncPushResponse,
  type SyncServerChange,
} from '@objectql/sync-types';
import { TransportError } from './transport.js';

/** The envelope, the list and the element a record lies in. */
const ENVELOPE_LEVELS = 5;

/**
 * The answer with its results in the order of `sentIds`, each with its `mutationId`. A protocol-1 answer, whose results
 * carry no ids, is matched by order. Throws `TransportError`: `refused` for an error body, `unreadable` for anything
 * that is no complete answer; the caller then knows nothing and sends the same again.
 */
export function parseAnswer(value: unknown, sentIds: readonly string[]): SyncPushResponse {
  if (!isObject(value)) throw unreadable(`it is ${describe(value)}, not an object`);
  const problem = findJsonProblem(value, { maxDepth: MAX_JSON_DEPTH + ENVELOPE_LEVELS });
  if (problem) throw unreadable(`${problem.path} ${problem.problem}`);
  const refusal = parseRefusal(value);
  if (refusal) {
    const { message, ...told } = refusal;
    throw new TransportError(message, { type: 'refused', status: told.code ? STATUS_BY_CODE[told.code] : 0, ...told });
  }
  const { results, serverChanges, checkpoint } = value;
  if (!Array.isArray(results)) throw unreadable('results is missing');
  if (!Array.isArray(serverChanges)) throw unreadable('serverChanges is missing');
  if (typeof checkpoint !== 'string') throw unreadable('checkpoint is missing');
  results.forEach(checkResult);
  serverChanges.forEach(checkChange);
  checkEnvelope(value);
  // Every property the types name has been checked above; properties they do not name are never read.
  const answer = value as unknown as SyncPushResponse;
  return { ...answer, results: inSentOrder(answer, sentIds), serverChanges: serverChanges as SyncServerChange[] };
}

function inSentOrder({ results, reset }: SyncPushResponse, sentIds: readonly string[]): SyncMutationResult[] {
  // Nothing of such a request was executed.
  if (reset === 'epoch' && results.length === 0) return [];
  if (results.length !== sentIds.length) {
    throw unreadable(`it holds ${results.length} results for ${sentIds.length} mutations`);
  }
  if (results.every(({ mutationId }) => mutationId === undefined)) {
    return results.map((result, index) => ({ ...result, mutationId: sentIds[index] }));
  }
  const resultById = new Map(results.map((result) => [result.mutationId, result]));
  return sentIds.map((id) => {
    const result = resultById.get(id);
    if (!result) throw unreadable(`it holds no result for mutation ${id}`);
    return result;
  });
}

function checkResult(result: unknown, index: number): void {
  const at = `results[${index}]`;
  if (!isObject(result)) throw unreadable(`${at} is ${describe(result)}`);
  checkOptional(result, 'mutationId', 'string', at);
  checkOptional(result, 'duplicate', 'boolean', at);
  switch (result.status) {
    case 'applied':
      checkVersion(result.serverVersion, `${at}.serverVersion`);
      if (result.record !== undefined && result.record !== null) checkData(result.record, `${at}.record`);
      if (result.droppedFields !== undefined) checkStrings(result.droppedFields, `${at}.droppedFields`);
      return;
    case 'conflict':
      return checkConflict(result.conflict, `${at}.conflict`);
    case 'rejected':
      if (typeof result.reason !== 'string') throw unreadable(`${at}.reason is missing`);
      checkOptional(result, 'code', 'string', at);
      checkOptional(result, 'retryable', 'boolean', at);
      checkOptional(result, 'retryAfterMs', 'number', at);
      return;
    default:
      throw unreadable(`${at}.status is ${describe(result.status)}`);
  }
}

function checkConflict(conflict: unknown, at: string): void {
  if (!isObject(conflict)) throw unreadable(`${at} is ${describe(conflict)}`);
  checkRef(conflict, at);
  if (!isObject(conflict.clientMutation)) throw unreadable(`${at}.clientMutation is missing`);
  if (conflict.serverRecord !== null) checkData(conflict.serverRecord, `${at}.serverRecord`);
  checkStrings(conflict.conflictingFields, `${at}.conflictingFields`);
  if (conflict.serverVersion !== undefined) checkVersion(conflict.serverVersion, `${at}.serverVersion`);
  if (conflict.conflictFields !== undefined) checkStrings(conflict.conflictFields, `${at}.conflictFields`);
  checkOptional(conflict, 'kind', 'string', at);
  checkOptional(conflict, 'strategy', 'string', at);
  for (const name of ['clientStamp', 'deletedStamp']) checkStamp(conflict[name], `${at}.${name}`);
  if (conflict.serverStamps === undefined) return;
  checkData(conflict.serverStamps, `${at}.serverStamps`);
  for (const stamp of Object.values(conflict.serverStamps as object)) checkStamp(stamp, `${at}.serverStamps`);
}

function checkStamp(stamp: unknown, at: string): void {
  if (stamp === undefined) return;
  if (!isObject(stamp)) throw unreadable(`${at} is ${describe(stamp)}`);
  if (typeof stamp.time !== 'number' || typeof stamp.logId !== 'string' || typeof stamp.sequence !== 'number') {
    throw unreadable(`${at} is no write stamp`);
  }
}

function checkChange(change: unknown, index: number): void {
  const at = `serverChanges[${index}]`;
  if (!isObject(change)) throw unreadable(`${at} is ${describe(change)}`);
  checkRef(change, at);
  checkVersion(change.serverVersion, `${at}.serverVersion`);
  if (typeof change.timestamp !== 'string') throw unreadable(`${at}.timestamp is missing`);
  if (change.operation === 'delete') return;
  if (change.operation !== 'create' && change.operation !== 'update') {
    throw unreadable(`${at}.operation is ${describe(change.operation)}`);
  }
  checkData(change.data, `${at}.data`);
}

function checkEnvelope(value: Readonly<Record<string, unknown>>): void {
  checkOptional(value, 'hasMore', 'boolean', 'the answer');
  checkOptional(value, 'serverTime', 'string', 'the answer');
  const { reset, limits } = value;
  if (reset !== undefined && reset !== 'expired' && reset !== 'epoch' && reset !== 'scope') {
    throw unreadable(`reset is ${describe(reset)}`);
  }
  if (limits === undefined) return;
  if (!isObject(limits)) throw unreadable(`limits is ${describe(limits)}`);
  checkVersion(limits.maxBodyBytes, 'limits.maxBodyBytes');
  checkVersion(limits.maxMutations, 'limits.maxMutations');
}

function checkRef(value: Readonly<Record<string, unknown>>, at: string): void {
  if (typeof value.objectName !== 'string') throw unreadable(`${at}.objectName is ${describe(value.objectName)}`);
  if (typeof value.recordId === 'string' && value.recordId !== '') return;
  if (!Number.isSafeInteger(value.recordId)) throw unreadable(`${at}.recordId is ${describe(value.recordId)}`);
}

function checkVersion(value: unknown, at: string): void {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw unreadable(`${at} is ${describe(value)}`);
}

function checkData(value: unknown, at: string): void {
  if (!isObject(value)) throw unreadable(`${at} is ${describe(value)}`);
}

function checkStrings(value: unknown, at: string): void {
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) {
    throw unreadable(`${at} is no list of strings`);
  }
}

function checkOptional(
  value: Readonly<Record<string, unknown>>,
  name: string,
  type: 'string' | 'boolean' | 'number',
  // biome-ignore lint/complexity/useMaxParams: a place to name in the error beside what is checked.
  at: string,
): void {
  if (value[name] !== undefined && typeof value[name] !== type)
    throw unreadable(`${at}: ${name} is ${describe(value[name])}`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `${typeof value} ${String(value).slice(0, 40)}`;
}

function unreadable(problem: string): TransportError {
  return new TransportError(`The server's answer cannot be used: ${problem}.`, { type: 'unreadable' });
}

/** What an error body says: its code where it is one of ours, its message, and how long to wait. */
export function parseRefusal(
  value: unknown,
): { readonly code?: RequestErrorCode; readonly message: string; readonly retryAfterMs?: number } | undefined {
  const error = isObject(value) ? value.error : undefined;
  if (!isObject(error)) return undefined;
  const code = REQUEST_ERROR_CODES.find((known) => known === error.code);
  return {
    message: typeof error.message === 'string' ? error.message : 'The server refused the request.',
    ...(code === undefined ? {} : { code }),
    ...(typeof error.retryAfterMs === 'number' ? { retryAfterMs: error.retryAfterMs } : {}),
  };
}

/** The status that belongs to a code, for transports that hand over the body alone. */
const STATUS_BY_CODE: Readonly<Record<RequestErrorCode, number>> = {
  MALFORMED: 400,
  INVALID_CHECKPOINT: 400,
  UNAUTHENTICATED: 401,
  WRONG_PRINCIPAL: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  LOG_FORKED: 409,
  TOO_LARGE: 413,
  UNSUPPORTED_ENCODING: 415,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  BUSY: 503,
};
