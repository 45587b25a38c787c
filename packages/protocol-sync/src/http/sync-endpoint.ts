/**
 * Sync over HTTP, as a function from a web `Request` to a web `Response`: Hono, Bun, Deno and Workers call it as it is,
 * `toNodeHandler` turns it into a handler for `node:http` and Express.
 *
 * It sets no CORS headers: which pages may call is the application's decision, and every framework has a middleware for
 * it (`hono/cors`, `cors` for Express).
 */
import { REQUEST_TIMEOUT_MS } from '@objectql/sync-types';
import { type Platform, systemPlatform } from '../platform/platform.js';
import { checkPrincipal, type Identified, type Principal, type SyncContext } from '../principal.js';
import { messageOf, printSparingly } from '../print-sparingly.js';
import type { RecordResolver } from '../records/record-resolver.js';
import {
  COUNT_KIND,
  FLAG_KIND,
  FUNCTION_KIND,
  type OptionKinds,
  RESOLVER_KIND,
  refuseWrongOptions,
} from '../refuse-wrong-options.js';
import type { SyncHandler } from '../sync-handler.js';
import { SyncRequestError } from '../sync-request-error.js';
import { tellOrPrint } from '../tell-or-print.js';
import { openEventStream } from './event-stream.js';
import { type AnswerCall, attachAnswerCall, type HttpAnswer, type HttpCall, malformedHead } from './http-call.js';
import { errorAnswer, jsonAnswer } from './json-answer.js';
import { PrincipalGate } from './principal-gate.js';
import { readJsonBody } from './read-json-body.js';
import { METHOD_BY_ACTION, methodNotAllowed, normalizePath, type SyncAction, syncActionOf } from './sync-route.js';
import { toResponse, webCall } from './web-call.js';
import { within } from './within.js';

/**
 * Answers `POST {path}/push`, `POST {path}/pull` and, if it is switched on, `GET {path}/stream`; everything else with
 * an error body and its status. Never rejects.
 */
export type SyncEndpoint = (request: Request) => Promise<Response>;

/**
 * Finds out from a request's headers who sends it; the body is not yet read and must stay so. `null`, or an error,
 * means an unknown caller: they are answered 401, keep their work, and wait for their user to sign in. If you cannot
 * find out now, throw `SyncRequestError` with the code `BUSY`: the caller comes again by itself.
 */
export type Authenticate = (request: Request) => Identified | null | Promise<Identified | null>;

/** What an endpoint serves, to whom, and where. */
export interface SyncEndpointOptions {
  /** The `SyncHandler` that answers. */
  readonly handler: Pick<SyncHandler, 'answerPush' | 'answerPull' | 'watch' | 'limits'>;
  /** The application's records. Default: the handler's own resolver. */
  readonly resolver?: RecordResolver | undefined;
  /**
   * Finds out who asks: a function from the request to `{ id, … }`, or `null` for 401. Without it every caller is
   * served, without a principal.
   */
  readonly authenticate?: Authenticate | undefined;
  /** The path before `/push` and `/pull`; a mount point or prefix before it is ignored. Default `/api/sync`. */
  readonly path?: string | undefined;
  /** Requests of one principal that are handled at the same time; further ones are answered 429. Default 16. */
  readonly maxConcurrentRequests?: number | undefined;
  /**
   * Whether `GET {path}/stream` tells clients at once that there is something new to pull. A principal may have 5 such
   * streams open in each process; further ones are answered 429. Default `false`.
   */
  readonly realtime?: boolean | undefined;
  /**
   * Told of every failure that is not the caller's, including that the database is out of reach; the caller sees
   * `INTERNAL`, `BUSY` or 401 and no details. Default: `console.error`, with the same failure printed once in 10 s.
   */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Timers, for tests. Default: the system's. */
  readonly platform?: Platform | undefined;
}

const OPTIONS: OptionKinds<SyncEndpointOptions> = {
  handler: { methods: ['answerPush', 'answerPull'], expected: 'a SyncHandler', isRequired: true },
  resolver: RESOLVER_KIND,
  authenticate: { methods: ['call'], expected: 'a function from the request to { id } or null' },
  path: { methods: ['replace'], expected: "a text, e.g. '/api/sync'" },
  maxConcurrentRequests: COUNT_KIND,
  realtime: FLAG_KIND,
  onError: FUNCTION_KIND,
  platform: true,
};

export const DEFAULT_PATH = '/api/sync';
/** 16: a user's devices and tabs send one request each. */
const MAX_CONCURRENT_REQUESTS = 16;
/** 1 s: the requests ahead are usually answered by then. */
const REQUESTS_RETRY_MS = 1000;
/** 5: a user's devices, with one stream each. A client that finds no room asks for changes from time to time. */
const MAX_STREAMS = 5;
/** 60 s: streams last, so room for another one comes slowly. */
const STREAMS_RETRY_MS = 60_000;

/**
 * The endpoint of a sync handler: `http.createServer(toNodeHandler(endpoint))` with `toNodeHandler` of `/node`, a route
 * of Hono or Next.js as it is, `Deno.serve((request) => endpoint(request))`, or `Bun.serve({ fetch: endpoint,
 * idleTimeout: 60 })`, because Bun cuts requests after 10 s, and they may take 30. Throws `TypeError` for an option
 * that is unknown or has a wrong type.
 */
export function createSyncEndpoint(options: SyncEndpointOptions): SyncEndpoint {
  return endpointOf(createAnswerCall(options));
}

/** The endpoint that answers with `answerCall`. */
export function endpointOf(answerCall: AnswerCall): SyncEndpoint {
  return attachAnswerCall(async (request: Request) => toResponse(await answerCall(webCall(request))), answerCall);
}

/** How the endpoint with these options answers. Throws like `createSyncEndpoint`. */
export function createAnswerCall(options: SyncEndpointOptions): AnswerCall {
  refuseWrongOptions(options, OPTIONS, 'createSyncEndpoint: ');
  const platform = options.platform ?? systemPlatform;
  const endpoint: Endpoint = {
    ...options,
    path: normalizePath(options.path ?? DEFAULT_PATH),
    realtime: options.realtime ?? false,
    platform,
    requests: new PrincipalGate({
      max: options.maxConcurrentRequests ?? MAX_CONCURRENT_REQUESTS,
      refusal: (active) => `${active} requests of this principal are under way. Wait for their answers.`,
      retryAfterMs: REQUESTS_RETRY_MS,
    }),
    streams: new PrincipalGate({
      max: MAX_STREAMS,
      refusal: (active) => `${active} streams of this principal are open. Pull from time to time instead.`,
      retryAfterMs: STREAMS_RETRY_MS,
    }),
    report: tellOrPrint(options.onError, printSparingly(printError, messageOf, platform)),
  };
  return (call) => answer(call, endpoint);
}

interface Endpoint extends SyncEndpointOptions {
  readonly path: string;
  readonly realtime: boolean;
  readonly platform: Platform;
  readonly requests: PrincipalGate;
  readonly streams: PrincipalGate;
  readonly report: (error: unknown) => void;
}

async function answer(call: HttpCall, endpoint: Endpoint): Promise<HttpAnswer> {
  try {
    const url = ofHead(() => new URL(call.url));
    const action = syncActionOf(url, endpoint);
    const method = METHOD_BY_ACTION[action];
    if (call.method !== method) return errorAnswer(methodNotAllowed(call.method, endpoint), { allow: method });
    const { platform } = endpoint;
    const bound = { timeoutMs: REQUEST_TIMEOUT_MS, platform, onGone: (listener: () => void) => call.onGone(listener) };
    return await within(bound, (signal) => answerAction(call, { endpoint, action, url, signal }));
  } catch (error) {
    return errorAnswer(toRequestError(error, { call, endpoint }));
  }
}

interface Asked {
  readonly endpoint: Endpoint;
  readonly action: SyncAction;
  readonly url: URL;
  readonly signal: AbortSignal;
}

async function answerAction(call: HttpCall, asked: Asked): Promise<HttpAnswer> {
  const { endpoint, action, signal } = asked;
  const { handler, requests } = endpoint;
  const principal = await identify(call, endpoint);
  if (action === 'stream') return openStream(asked, principal);
  const answered = await requests.pass(principal, async () => {
    const body = await readJsonBody(call, { maxBytes: handler.limits.maxBodyBytes, signal });
    const context: SyncContext = { principal, signal };
    return action === 'push' ? handler.answerPush(body, endpoint.resolver, context) : handler.answerPull(body, context);
  });
  return jsonAnswer(answered, call.header('accept-encoding'));
}

function openStream({ endpoint, url, signal }: Asked, principal: Principal | null): Promise<HttpAnswer> {
  const { handler, platform, streams } = endpoint;
  // Empty when the client has none.
  const checkpoint = url.searchParams.get('checkpoint') || null;
  const leave = streams.enter(principal);
  return openEventStream({
    watch: (watcher) => handler.watch(checkpoint, watcher),
    onClosed: leave,
    // Aborted on a timeout, too: a stream that could not begin in time must not go on unseen.
    signal,
    platform,
  });
}

async function identify(call: HttpCall, { authenticate, report }: Endpoint): Promise<Principal | null> {
  if (!authenticate) return null;
  const request = ofHead(() => call.toRequest());
  const principal = await Promise.resolve()
    .then(() => authenticate(request))
    .catch((error: unknown) => {
      if (error instanceof SyncRequestError) throw error;
      report(error);
      return null;
    });
  if (!principal) throw new SyncRequestError('UNAUTHENTICATED', 'Nobody is signed in. Sign in and send it again.');
  return checkPrincipal(principal);
}

/** What `make` makes of a request's head. Throws `SyncRequestError` `MALFORMED` when that is impossible. */
function ofHead<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw malformedHead(cause);
  }
}

function printError(error: unknown, more: readonly string[]): void {
  // biome-ignore lint/suspicious/noConsole: a failure nobody has asked to be told must still be seen by somebody.
  console.error('@objectql/protocol-sync:', error, ...more);
}

function toRequestError(
  error: unknown,
  { call, endpoint }: { readonly call: HttpCall; readonly endpoint: Endpoint },
): SyncRequestError {
  // When the caller is gone, work that was given up is not a failure.
  const report = call.isGone ? () => {} : endpoint.report;
  if (error instanceof SyncRequestError) {
    // The caller comes again by itself, but the operator must know that the database is away.
    if (error.code === 'BUSY' && error.cause) report(error.cause);
    return error;
  }
  report(error);
  return new SyncRequestError('INTERNAL', 'The server failed. Nothing is lost; send the same request again.');
}
