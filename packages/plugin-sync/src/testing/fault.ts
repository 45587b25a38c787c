/** What may go wrong between a client and its server, one request at a time. */
import type { RequestErrorCode, SyncPushRequest } from '@objectql/sync-types';

/** What becomes of one request. */
export type Fault =
  /** Nothing goes wrong. */
  | { readonly do: 'pass' }
  /** The server never sees the request; the client is told that there is no network. */
  | { readonly do: 'lose-request' }
  /** The server executes the request, but the client never hears of it. */
  | { readonly do: 'lose-answer' }
  /** Neither an answer nor an error comes until the client gives up. */
  | { readonly do: 'hang' }
  /** The answer comes this much later, by the platform's clock. */
  | { readonly do: 'delay'; readonly ms: number }
  /** The server gets the request twice, as when a proxy repeats it; the client hears the second answer. */
  | { readonly do: 'duplicate' }
  /** The server refuses the request as a whole and executes nothing. */
  | {
      readonly do: 'refuse';
      readonly status: number;
      readonly code?: RequestErrorCode;
      readonly retryAfterMs?: number;
    };

/**
 * The fault of each request: a list in the order of the requests (nothing goes wrong after its end), or a function of
 * the request and its number, counted from 0.
 */
export type FaultPlan = readonly Fault[] | ((request: SyncPushRequest, index: number) => Fault);

/** The fault that a plan has for a request. */
export function faultOf(plan: FaultPlan, request: SyncPushRequest, index: number): Fault {
  return typeof plan === 'function' ? plan(request, index) : (plan[index] ?? { do: 'pass' });
}
