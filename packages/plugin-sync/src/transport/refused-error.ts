/** Reads a server's refusal: the body `{ error: { code, message, retryAfterMs? } }`, or an error like it. */
import { isRequestErrorCode, STATUS_BY_CODE } from '@objectql/sync-types';
import { TransportError } from './transport.js';

export interface RefusalContext {
  readonly cause?: unknown;
  /** The HTTP status, if there was one; default: that of the code. */
  readonly status?: number | undefined;
  /** How long to wait if the body does not say. */
  readonly retryAfterMs?: number | undefined;
}

/** The error of a refusal. Codes that the protocol does not know, and invalid waits, are left out. */
export function refusedError(told: unknown, { status, retryAfterMs: wait, ...options }: RefusalContext = {}) {
  const { code: said, message, retryAfterMs = wait } = Object(told) as Readonly<Record<string, unknown>>;
  const code = isRequestErrorCode(said) ? said : undefined;
  return new TransportError(
    typeof message === 'string' && message ? message : `The server refused the request (${status ?? said}).`,
    {
      type: 'refused',
      status: status ?? (code ? STATUS_BY_CODE[code] : 0),
      ...(code && { code }),
      ...(typeof retryAfterMs === 'number' && retryAfterMs >= 0 && { retryAfterMs }),
    },
    options,
  );
}
