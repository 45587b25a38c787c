/** A request that gets no outcomes, only a reason. */
import { type RequestErrorCode, STATUS_BY_CODE, type SyncErrorBody } from '@objectql/sync-types';

/** 2 s: time enough for another process to take over. */
const CLOSED_RETRY_MS = 2000;

/**
 * Thrown when a request as a whole is refused. `code` decides, the message is for people. Nothing of the request was
 * executed; after `INTERNAL` and `BUSY` some of it may have been, and sending it again is safe.
 */
export class SyncRequestError extends Error {
  override readonly name = 'SyncRequestError';
  readonly code: RequestErrorCode;
  /** The HTTP status for it; Express and others read it by this name. */
  readonly status: number;
  /** Milliseconds after which another try makes sense. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: RequestErrorCode,
    message: string,
    options?: { readonly cause?: unknown; readonly retryAfterMs?: number },
  ) {
    super(message, options);
    this.code = code;
    this.status = STATUS_BY_CODE[code];
    this.retryAfterMs = options?.retryAfterMs;
  }

  /** The body to answer with. */
  toBody(): SyncErrorBody {
    const { code, message, retryAfterMs } = this;
    return { error: { code, message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) } };
  }
}

/** Refuses requests to a closed server; its clients come again and find the next one. */
export function serverClosing(): SyncRequestError {
  const message = 'This server is shutting down. Nothing is lost; send the same request again.';
  return new SyncRequestError('BUSY', message, { retryAfterMs: CLOSED_RETRY_MS });
}
