/** Turns the data engine's refusals into those of sync. */
import { RejectionError } from '../records/record-resolver.js';

/** What a permission error says of the denied write. */
interface Denial {
  readonly operation?: unknown;
  readonly object?: unknown;
  readonly forbiddenFields?: unknown;
}

/** The fields of the engine's errors; they are its published contract, unlike its classes. */
interface EngineFailure {
  readonly message: string;
  readonly code?: unknown;
  readonly status?: unknown;
  readonly statusCode?: unknown;
  /** For a validation error: what is wrong with which field. */
  readonly fields?: unknown;
  readonly details?: Denial | undefined;
  /** The message that a script in the metadata threw, without what the sandbox adds. */
  readonly innerMessage?: unknown;
}

/**
 * Returns a refusal for good if the engine says that the write can never succeed, else the error itself, to be retried.
 */
export function toRejection(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof RejectionError) return error;
  // A cast, because every field is read as unknown.
  const failure = error as EngineFailure;
  const { code } = failure;
  const status = failure.status ?? failure.statusCode;
  if (isNotFound(error)) return new RejectionError('NOT_FOUND', 'There is no such record.');
  if (status === 401 || isForbidden(error)) {
    return new RejectionError('FORBIDDEN', whatIsForbidden(failure));
  }
  // The engine's own message may quote the statement.
  if (isDataException(code))
    return new RejectionError('VALIDATION', 'The database does not take a value of this change.');
  const isInvalid =
    code === 'VALIDATION_FAILED' ||
    code === 'DUPLICATE_RECORD' ||
    code === 'DELETE_RESTRICTED' ||
    status === 400 ||
    status === 422 ||
    typeof failure.innerMessage === 'string';
  return isInvalid ? new RejectionError('VALIDATION', whatIsInvalid(failure)) : error;
}

/**
 * Whether the caller's permissions forbid this very write. No hook has seen it then: a hook's refusal names no write.
 */
export function isDenied(error: unknown, { operation, object }: Pick<Denial, 'operation' | 'object'>): boolean {
  // A cast, because every field is read as unknown.
  const { details } = (error ?? {}) as Partial<EngineFailure>;
  return isForbidden(error) && details?.operation === operation && details?.object === object;
}

/** Whether the engine has no such record; it may be one that a hook asked for. */
export function isNotFound(error: unknown): boolean {
  // A cast, because every field is read as unknown.
  return (error as Partial<EngineFailure> | null)?.code === 'RECORD_NOT_FOUND';
}

/** Whether the engine refused because the caller lacks a permission. */
export function isForbidden(error: unknown): boolean {
  // A cast, because every field is read as unknown.
  const { code, status, statusCode } = (error ?? {}) as Partial<EngineFailure>;
  return code === 'PERMISSION_DENIED' || status === 403 || statusCode === 403;
}

/**
 * PostgreSQL's class 22 (a number out of range, a text too long or malformed), and a table's own NOT NULL or CHECK.
 */
function isDataException(code: unknown): boolean {
  return typeof code === 'string' && /^(22[0-9A-Z]{3}|23502|23514)$/.test(code);
}

function whatIsForbidden({ details }: EngineFailure): string {
  const fields = Array.isArray(details?.forbiddenFields) ? details.forbiddenFields : [];
  return fields.length > 0 ? `You may not change ${fields.join(', ')}.` : 'You may not make this change.';
}

/** Each field's message, e.g. `title: Title is required; due: Due must be a date`. */
function whatIsInvalid({ message, fields, innerMessage }: EngineFailure): string {
  if (typeof innerMessage === 'string') return innerMessage;
  const messages = (Array.isArray(fields) ? fields : []).flatMap((problem: unknown) => {
    const { field, message: text } = (problem ?? {}) as { readonly field?: unknown; readonly message?: unknown };
    return typeof field === 'string' && typeof text === 'string' ? [`${field}: ${text}`] : [];
  });
  return messages.length > 0 ? messages.join('; ') : message;
}
