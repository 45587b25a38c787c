/** The sync endpoint as a handler for `node:http` and Express 4 and 5. The package's `/node` entry. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { systemPlatform } from '../platform/platform.js';
import { SyncRequestError } from '../sync-request-error.js';
import { answerCallOf, type HttpAnswer, malformedHead } from './http-call.js';
import { END_OF_CONNECTION, errorAnswer } from './json-answer.js';
import { NodeCall, type NodeRequest } from './node-call.js';
import type { SyncEndpoint } from './sync-endpoint.js';

export type { NodeRequest } from './node-call.js';

/**
 * A handler for `http.createServer(toNodeHandler(endpoint))` and `app.use('/api/sync', toNodeHandler(endpoint))`. A
 * body that middleware such as `express.json()` has parsed is used as it is; mind that `express.json()` refuses more
 * than 100 KB unless told otherwise, and sync sends up to 1 MiB. The endpoint's request is aborted when the client
 * goes. Throws `TypeError` for a value that is not a function.
 */
export function toNodeHandler(endpoint: SyncEndpoint): (request: NodeRequest, response: ServerResponse) => void {
  if (typeof endpoint !== 'function') throw new TypeError('toNodeHandler: pass what createSyncEndpoint returns.');
  const answerCall = answerCallOf(endpoint);
  return (request, response) => {
    const call = new NodeCall(request, response);
    (answerCall ? answerCall(call).then(listHeaders) : answerByWeb(call, endpoint))
      .then((answer) => send(answer, { request, response }))
      // Only the application's own code around the endpoint can fail here; without an answer the client tries again.
      .catch(() => response.destroy());
  };
}

/** An answer with its headers as a list: an application may set more than one cookie. */
type NodeAnswer = Pick<HttpAnswer, 'status' | 'body'> & { readonly headers: Iterable<readonly [string, string]> };

function listHeaders({ headers, ...answer }: HttpAnswer): NodeAnswer {
  return { ...answer, headers: Object.entries(headers) };
}

/** For an endpoint that is wrapped in a function of web requests and responses. */
async function answerByWeb(call: NodeCall, endpoint: SyncEndpoint): Promise<NodeAnswer> {
  const request = toWebRequest(call);
  if (request instanceof SyncRequestError) return listHeaders(errorAnswer(request));
  const response = await endpoint(request);
  const { status, headers, body } = response;
  const isStream = body !== null && headers.get('content-type') === 'text/event-stream';
  return { status, headers, body: isStream ? body : new Uint8Array(await response.arrayBuffer()) };
}

function toWebRequest(call: NodeCall): Request | SyncRequestError {
  try {
    return call.toWholeRequest();
  } catch (cause) {
    return malformedHead(cause);
  }
}

/** Headers that are added to those of the same name which middleware has set, such as CORS's or a session's. */
const ADDED: ReadonlySet<string> = new Set(['vary', 'set-cookie']);

async function send(
  { status, headers, body }: NodeAnswer,
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
): Promise<void> {
  if (response.destroyed) {
    if (body instanceof ReadableStream) await body.cancel();
    return;
  }
  response.statusCode = status;
  // A server that is to stop waits for its connections, and after a stream its client would send the next request on
  // it.
  const ends = body instanceof ReadableStream ? Object.entries(END_OF_CONNECTION) : [];
  for (const [name, value] of [...headers, ...ends]) {
    // HTTP/2 has no such header, and Node warns of it.
    if (name === 'connection' && request.httpVersionMajor > 1) continue;
    if (ADDED.has(name) && response.hasHeader(name)) response.appendHeader(name, value);
    else response.setHeader(name, value);
  }
  if (body instanceof ReadableStream) await pump(body, response);
  else response.end(body);
  if (!request.complete) dropRest(request);
}

/** Passes a stream on event by event, and takes the next one only when the client has room for it. */
async function pump(body: ReadableStream<Uint8Array>, response: ServerResponse): Promise<void> {
  const reader = body.getReader();
  // This also rejects if the stream has failed.
  const cancel = () => reader.cancel().catch(() => {});
  response.once('close', cancel);
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    if (!response.write(read.value)) await roomIn(response);
  }
  response.end();
}

/** Resolves when more can be written, or when nobody reads any more. */
function roomIn(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.removeListener('drain', done);
      response.removeListener('close', done);
      resolve();
    };
    response.once('drain', done);
    response.once('close', done);
  });
}

/** A client that is still sending a refused body reads no answer, so the rest is read and dropped. But not for ever. */
function dropRest(request: IncomingMessage): void {
  request.removeAllListeners('data').resume();
  const cancel = systemPlatform.setTimer(() => request.destroy(), LINGER_MS);
  request.once('close', cancel);
}

/** 5 s: enough for an honest client to notice the answer and stop. */
const LINGER_MS = 5000;
