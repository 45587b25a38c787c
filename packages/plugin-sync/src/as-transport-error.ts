/** Whatever a transport throws, as the one error that sync decides by. */
import { REQUEST_ERROR_CODES } from '@objectql/sync-types';
import { TransportError } from './transport/transport.js';

/**
 * A `TransportError` as it is. An error that carries the code or the HTTP status of a refusal, as those of a handler in
 * the same process and of common HTTP libraries do, is a refusal. Anything else means that no answer arrived.
 */
export function asTransportError(error: unknown): TransportError {
  if (error instanceof TransportError) return error;
  const { code, status, retryAfterMs } = Object(error) as Readonly<Record<string, unknown>>;
  const known = REQUEST_ERROR_CODES.find((candidate) => candidate === code);
  const isStatus = typeof status === 'number' && status >= 400;
  if (known === undefined && !isStatus) {
    return new TransportError('The server could not be reached.', { type: 'unreachable' }, { cause: error });
  }
  const message = error instanceof Error ? error.message : 'The server refused the request.';
  return new TransportError(
    message,
    {
      type: 'refused',
      status: isStatus ? status : 0,
      ...(known === undefined ? {} : { code: known }),
      ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}),
    },
    { cause: error },
  );
}
