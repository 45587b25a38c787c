/** The closed set of error codes, and the one place that says which of them are worth another try. */

/** Why one mutation was not applied. Terminal codes go to the dead letters; retryable ones are tried again. */
export const TERMINAL_CODES = [
  'INVALID',
  'FORBIDDEN',
  'NOT_FOUND',
  'UNKNOWN_OBJECT',
  'VALIDATION',
  'ID_REUSED',
  'OUTCOME_EXPIRED',
  'TOO_LARGE',
] as const;
export const RETRYABLE_CODES = ['RATE_LIMITED', 'BUSY', 'INTERNAL', 'BATCH_TOO_LARGE'] as const;
export type RejectionCode = (typeof TERMINAL_CODES)[number] | (typeof RETRYABLE_CODES)[number];

/**
 * Why a whole request was not processed. Nothing of it was executed.
 * `MALFORMED` 400, `INVALID_CHECKPOINT` 400, `UNAUTHENTICATED` 401, `WRONG_PRINCIPAL` 403, `NOT_FOUND` 404,
 * `METHOD_NOT_ALLOWED` 405, `LOG_FORKED` 409, `TOO_LARGE` 413, `UNSUPPORTED_ENCODING` 415, `RATE_LIMITED` 429,
 * `INTERNAL` 500, `BUSY` 503.
 */
export const REQUEST_ERROR_CODES = [
  'MALFORMED',
  'INVALID_CHECKPOINT',
  'UNAUTHENTICATED',
  'WRONG_PRINCIPAL',
  'NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'LOG_FORKED',
  'TOO_LARGE',
  'UNSUPPORTED_ENCODING',
  'RATE_LIMITED',
  'INTERNAL',
  'BUSY',
] as const;
export type RequestErrorCode = (typeof REQUEST_ERROR_CODES)[number];

/** The HTTP status of each code, also for transports that hand over the body alone. */
export const STATUS_BY_CODE: Readonly<Record<RequestErrorCode, number>> = {
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

/** True when the same mutation may succeed later, unchanged. */
export function isRetryable(code: RejectionCode): boolean {
  return (RETRYABLE_CODES as readonly string[]).includes(code);
}
