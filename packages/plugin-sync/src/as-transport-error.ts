/** Whatever a transport throws, as the one error that sync decides by. */
import { REQUEST_ERROR_CODES } from '@objectql/sync-types';
import { refusedError } from './transport/refused-error.js';
import { TransportError } from './transport/transport.js';

/**
 * A `TransportError` as it is. An error that carries the code or the HTTP status of a refusal, as those of a handler in
 * the same process and of common HTTP libraries do, is a refusal. Anything else means that no answer arrived.
 */
export function asTransportError(error: unknown): TransportError {
  if (error instanceof TransportError) return error;
  const { code, status } = Object(error) as Readonly<Record<string, unknown>>;
  if (typeof status === 'number' && status >= 400) return refusedError(error, { status, cause: error });
  if (REQUEST_ERROR_CODES.some((known) => known === code)) return refusedError(error, { cause: error });
  return new TransportError('The server could not be reached.', { type: 'unreachable' }, { cause: error });
}
