/** Reads the body of an answer that is not a success: `{ error: { code, message, retryAfterMs? } }`. */
import { ownValue, REQUEST_ERROR_CODES, type RequestErrorCode } from '@objectql/sync-types';

/** What an error body says. */
export interface Refusal {
  /** Absent when it is none of the protocol's codes. */
  readonly code?: RequestErrorCode;
  readonly message: string;
  readonly retryAfterMs?: number;
}

/** What an error body says; `undefined` when the value is none. */
export function parseRefusal(value: unknown): Refusal | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const error = ownValue(value, 'error');
  if (typeof error !== 'object' || error === null) return undefined;
  const code = REQUEST_ERROR_CODES.find((known) => known === ownValue(error, 'code'));
  const message = ownValue(error, 'message');
  const retryAfterMs = ownValue(error, 'retryAfterMs');
  return {
    message: typeof message === 'string' && message !== '' ? message : 'The server refused the request.',
    ...(code === undefined ? {} : { code }),
    ...(typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? { retryAfterMs } : {}),
  };
}
