/** The error codes of this version, and the only place that says which of them are worth another try. */

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
/** Refusals that another try may overcome: the client retries by itself, and holds the record meanwhile. */
export const RETRYABLE_CODES = ['RATE_LIMITED', 'BUSY', 'INTERNAL', 'BATCH_TOO_LARGE'] as const;
/** Why a mutation was not applied. */
export type RejectionCode = (typeof TERMINAL_CODES)[number] | (typeof RETRYABLE_CODES)[number];

/** A code in an answer: the server may be of a later version and know more codes. */
export type ToldRejectionCode = RejectionCode | (string & {});

/** Why a whole request was refused, with its HTTP status. After `INTERNAL` and `BUSY` some of it may have been executed. */
export const STATUS_BY_CODE = {
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
} as const;
/** Why a request as a whole was refused. */
export type RequestErrorCode = keyof typeof STATUS_BY_CODE;

/** True for the code of a refused request. */
export function isRequestErrorCode(code: unknown): code is RequestErrorCode {
  return typeof code === 'string' && Object.hasOwn(STATUS_BY_CODE, code);
}

/** True when the same mutation may succeed later, unchanged. An unknown code is final. */
export function isRetryable(code: ToldRejectionCode): boolean {
  return (RETRYABLE_CODES as readonly string[]).includes(code);
}
