/** Turns anything a transport throws into the one error that sync decides by. */
import { isRequestErrorCode } from '@objectql/sync-types';
import { refusedError } from './refused-error.js';
import { TransportError } from './transport.js';

/**
 * Returns a `TransportError` as it is. An error with the code or HTTP status of a refusal, as a handler in the same
 * process and common HTTP libraries throw, is a refusal. A `SyntaxError` is an answer that was no JSON. Anything else
 * means that no answer arrived.
 */
export function asTransportError(error: unknown): TransportError {
  if (error instanceof TransportError) return error;
  const { code, status: told } = Object(error) as Readonly<Record<string, unknown>>;
  const status = typeof told === 'number' && told >= 400 ? told : undefined;
  if (status || isRequestErrorCode(code)) return refusedError(error, { status, cause: error });
  return error instanceof SyntaxError
    ? new TransportError('The answer is not JSON.', { type: 'unreadable' }, { cause: error })
    : new TransportError('The server could not be reached.', { type: 'unreachable' }, { cause: error });
}
