/**
 * A request and its answer as the endpoint sees them, from any source: a web `Request`, or the objects of `node:http`,
 * for which building web requests, responses and streams would cost more than answering.
 */
import { SyncRequestError } from '../sync-request-error.js';

/** Plain data and functions, no classes: a process may hold this package twice, as ESM and as CommonJS. */
export interface HttpCall {
  readonly method: string;
  /** Absolute, if the caller can be believed; not always valid. */
  readonly url: string;
  header(name: string): string | null;
  /** The body, if somebody has parsed it before us. */
  readonly parsedBody: { readonly body: unknown } | undefined;
  /**
   * The bytes of the body as sent. The rest is left unread: if it were cut off, the connection could carry no answer.
   */
  readBody(options: ReadBodyOptions): Promise<ReadBody>;
  readonly isGone: boolean;
  /** Calls `listener` when the caller goes before the answer is complete. */
  onGone(listener: () => void): void;
  /** The same as a web request, for code that wants one; nobody may read its body. Throws if it would be invalid. */
  toRequest(): Request;
}

/** Refuses a request that cannot be made into a web request. */
export function malformedHead(cause: unknown): SyncRequestError {
  return new SyncRequestError('MALFORMED', 'The request line or a header is malformed.', { cause });
}

export interface ReadBodyOptions {
  readonly maxBytes: number;
  /** Ends the wait for a body that stalls. */
  readonly signal: AbortSignal;
}

export type ReadBody =
  | { readonly bytes: Uint8Array }
  | { readonly failed: 'TOO_LARGE' }
  /** Somebody else has read it. */
  | { readonly failed: 'READ_BEFORE' }
  /** It ended early, or the wait for it did. */
  | { readonly failed: 'BROKEN_OFF'; readonly cause: unknown };

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
}

/** Answers a call, whatever becomes of it. */
export type AnswerCall = (call: HttpCall) => Promise<HttpAnswer>;

// A registered symbol on the function itself, for the same reason.
const ANSWER_CALL = Symbol.for('@objectql/protocol-sync/answer-call');

/** Lets the server of `endpoint` call it without web requests and responses. */
export function attachAnswerCall<Endpoint extends object>(endpoint: Endpoint, answerCall: AnswerCall): Endpoint {
  return Object.defineProperty(endpoint, ANSWER_CALL, { value: answerCall });
}

/** The shorter way into `endpoint`; an endpoint that is wrapped in another function has none. */
export function answerCallOf(endpoint: object): AnswerCall | undefined {
  return (endpoint as { [ANSWER_CALL]?: AnswerCall })[ANSWER_CALL];
}
