/** The port to the server. Anything with `push` will do; `pull` is optional. */
import type {
  MutationLogEntry,
  RequestErrorCode,
  SyncPullRequest,
  SyncPushRequest,
  SyncPushResponse,
} from '@objectql/sync-types';

/** What a transport may heed of a request; one that does not is cut off all the same. */
export interface TransportOptions {
  /** Aborted when the request takes longer than the client waits, or the client closes. */
  readonly signal: AbortSignal;
  /**
   * To be called, by a transport that can tell before it has read an answer, with the checkpoint of one behind which something
   * may be asked whatever else it says: it has no `reset`, and either every mutation sent was applied, and what was decided
   * is committed, or none was sent and there is more to pull.
   */
  readonly onNextPage?: ((checkpoint: string) => void) | undefined;
}

/**
 * Carries a request to a server and its answer back: of a refusal, too, the body, or an error with its `code`. Rejects when there
 * is no answer.
 */
export interface SyncTransport {
  push(request: SyncPushRequest, options?: TransportOptions): Promise<SyncPushResponse>;
  /** A push without mutations. Where it is missing, `push` is called with none. */
  pull?(request: SyncPullRequest, options?: TransportOptions): Promise<SyncPushResponse>;
  /**
   * Told, while the server works on a request, which mutations will most likely be pushed next: what takes time of that may
   * be done meanwhile. Nothing is to be sent yet, and the next push may be another one.
   */
  prepare?(mutations: readonly MutationLogEntry[]): void;
  /**
   * The response to `GET {url}/stream?checkpoint=…`, whatever its status, as soon as it begins. Where it is missing,
   * live updates poll.
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

/** What a server that answered with an error says of it. */
type Refusal = Extract<TransportFailure, { readonly type: 'refused' }>;

/** What the server says that refused a request; nothing of an error of another kind. To decide by, never by the message. */
export function refusalOf(error: unknown): Partial<Refusal> {
  return error instanceof TransportError && error.failure.type === 'refused' ? error.failure : {};
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
