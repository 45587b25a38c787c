/** The port to the server. Anything with `push` will do; `pull` is optional. */
import type {
  MutationLogEntry,
  RequestErrorCode,
  SyncPullRequest,
  SyncPushRequest,
  SyncPushResponse,
} from '@objectql/sync-types';

/** Options that a transport may heed; a request of one that does not is cut off all the same. */
export interface TransportOptions {
  /** Aborted when the request takes longer than the client waits, or the client closes. */
  readonly signal: AbortSignal;
  /**
   * A transport that can tell early calls it, before it has read an answer, with the answer's checkpoint. It may do so
   * only if nothing in the answer changes what to ask next: it has no `reset`, and either every mutation sent was
   * applied and is committed, or none was sent and there is more to pull.
   */
  readonly onNextPage?: ((checkpoint: string) => void) | undefined;
  /**
   * A transport that sees parts of an answer arrive calls it for each, however small. As long as one comes in every 30
   * s, the client goes on waiting, for 5 minutes at most.
   */
  readonly onProgress?: (() => void) | undefined;
}

/**
 * Carries a request to a server and its answer back; for a refusal, the body or an error with its `code`. Rejects when
 * there is no answer.
 */
export interface SyncTransport {
  push(request: SyncPushRequest, options?: TransportOptions): Promise<SyncPushResponse>;
  /** A push without mutations. Without it, `push` is called with none. */
  pull?(request: SyncPullRequest, options?: TransportOptions): Promise<SyncPushResponse>;
  /**
   * Called while the server works on a request, with the mutations that will most likely be pushed next: slow
   * preparations may be made meanwhile. It must not send anything yet, and the next push may be another one.
   */
  prepare?(mutations: readonly MutationLogEntry[]): void;
  /**
   * The response to `GET {url}/stream?checkpoint=…`, whatever its status, as soon as it begins. Without it, live
   * updates poll.
   */
  stream?(checkpoint: string, options: TransportOptions): Promise<Response>;
}

/** What went wrong between here and the server; never the fault of one mutation. */
export type TransportFailure =
  /** No answer arrived: no network, refused, reset. */
  | { readonly type: 'unreachable' }
  /** No answer in time. */
  | { readonly type: 'timeout' }
  /** The client itself ended the request. */
  | { readonly type: 'aborted' }
  /** The server answered with an error. */
  | {
      readonly type: 'refused';
      readonly status: number;
      readonly code?: RequestErrorCode | undefined;
      readonly retryAfterMs?: number | undefined;
    }
  /** The answer is not what a sync server answers, e.g. HTML from a captive portal, or too few results. */
  | { readonly type: 'unreadable' };

/** What is known of a failure; only a server's refusal has a status and a code. */
type KnownFailure = { readonly type?: TransportFailure['type'] } & Partial<
  Omit<Extract<TransportFailure, { readonly type: 'refused' }>, 'type'>
>;

/** The failure of a transport; empty for any other error. Decide by it, never by the message. */
export function failureOf(error: unknown): KnownFailure {
  return error instanceof TransportError ? error.failure : {};
}

/** Thrown by transports; what to do next is decided by `failure`, never by the message. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly failure: TransportFailure;

  constructor(message: string, failure: TransportFailure, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.failure = failure;
  }
}
