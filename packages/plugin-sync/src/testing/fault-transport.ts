/** A transport that fails as planned, to see that an app lives with a bad network. */
import { assertNever, type SyncPushRequest, type SyncPushResponse } from '@objectql/sync-types';
import type { Platform } from '../platform/platform.js';
import { type SyncTransport, TransportError } from '../transport/transport.js';
import { type Fault, type FaultPlan, faultOf } from './fault.js';

/** How a transport fails. */
export interface FaultTransportOptions {
  /** What goes wrong. */
  readonly plan: FaultPlan;
  /** Its clock measures the delays: the client's own, e.g. its `TestPlatform`. */
  readonly platform: Platform;
}

/** A transport that remembers what went through it. */
export interface FaultTransport extends SyncTransport {
  /** Every request so far, including those that the server never saw. */
  readonly requests: readonly SyncPushRequest[];
}

/**
 * `inner` with faults. Requests and answers are copied through JSON, as on a real wire. Pulls go through `push`, so that
 * one plan covers all that is sent.
 *
 * ```text
 * const transport = faultTransport(server, { plan: [{ do: 'lose-answer' }], platform });
 * await engine.sync(); // fails; the server has the mutation all the same
 * await engine.sync(); // sends it again, and the server answers that it was applied once
 * ```
 */
export function faultTransport(inner: SyncTransport, { plan, platform }: FaultTransportOptions): FaultTransport {
  const requests: SyncPushRequest[] = [];
  return {
    requests,
    async push(request, options = { signal: new AbortController().signal }) {
      const sent = throughJson(request);
      const fault = faultOf(plan, sent, requests.length);
      requests.push(sent);
      const ask = async () => throughJson(await inner.push(throughJson(sent), options));
      return suffer(fault, { ask, signal: options.signal, platform });
    },
  };
}

interface Sending {
  readonly ask: () => Promise<SyncPushResponse>;
  readonly signal: AbortSignal;
  readonly platform: Platform;
}

async function suffer(fault: Fault, { ask, signal, platform }: Sending): Promise<SyncPushResponse> {
  switch (fault.do) {
    case 'pass':
      return ask();
    case 'lose-request':
      throw unreachable('The request was lost.');
    case 'lose-answer':
      await ask();
      throw unreachable('The answer was lost.');
    case 'hang':
      return untilAborted(signal);
    case 'delay': {
      const answer = await ask();
      return Promise.race([after(fault.ms, platform).then(() => answer), untilAborted(signal)]);
    }
    case 'duplicate':
      await ask();
      return ask();
    case 'refuse': {
      const { do: _, ...failure } = fault;
      throw new TransportError(`The server refused the request with status ${fault.status}.`, {
        type: 'refused',
        ...failure,
      });
    }
    default:
      return assertNever(fault);
  }
}

function after(ms: number, platform: Platform): Promise<void> {
  return new Promise((resolve) => {
    platform.setTimer(resolve, ms);
  });
}

/** Never answers, like a connection that is silently gone; the client's reaction shows in its signal. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function unreachable(message: string): TransportError {
  return new TransportError(message, { type: 'unreachable' });
}

/** A JSON value survives this trip unchanged, so the copy has the type of the original. */
function throughJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
