/** The sync endpoint as a handler for `node:http` and Express 4 and 5. The package's `/node` entry. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { systemPlatform } from '../platform/platform.js';
import { SyncRequestError } from '../sync-request-error.js';
import { attachParsedBody, bodyBytesOf } from './body-at-hand.js';
import { errorResponse } from './json-response.js';
import type { SyncEndpoint } from './sync-endpoint.js';

/** A request as Express hands it on; plain `node:http` has neither of the two. */
export type NodeRequest = IncomingMessage & { readonly originalUrl?: string; readonly body?: unknown };

/**
 * A handler for `http.createServer(toNodeHandler(endpoint))` and `app.use('/api/sync', toNodeHandler(endpoint))`.
 * A body that middleware such as `express.json()` has parsed is used as it is; mind that `express.json()` refuses more
 * than 100 KB unless told otherwise, and sync sends up to 1 MiB. The endpoint's request is aborted when the client goes.
 */
export function toNodeHandler(endpoint: SyncEndpoint): (request: NodeRequest, response: ServerResponse) => void {
  return (request, response) => {
    const gone = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) gone.abort();
    });
    answer(request, { endpoint, signal: gone.signal })
      .then((answered) => send(answered, { request, response }))
      // Only an error in the application's own `onError` comes here; without an answer the client tries again.
      .catch(() => response.destroy());
  };
}

async function answer(
  request: NodeRequest,
  { endpoint, signal }: { readonly endpoint: SyncEndpoint; readonly signal: AbortSignal },
): Promise<Response> {
  const webRequest = toWebRequest(request, signal);
  return webRequest instanceof SyncRequestError ? errorResponse(webRequest) : endpoint(webRequest);
}

function toWebRequest(request: NodeRequest, signal: AbortSignal): Request | SyncRequestError {
  const { method = 'GET', headers, originalUrl = request.url ?? '/' } = request;
  // Something before us has read the stream, or met its end where it was empty; where nothing has, Express 4 still puts an empty object in `body`.
  const isRead = request.readableDidRead || request.readableEnded;
  const bodyless = isRead || method === 'GET' || method === 'HEAD';
  try {
    const webRequest = new Request(`http://${headers.host ?? 'localhost'}${originalUrl}`, {
      method,
      headers: Object.entries(headers).flatMap(([name, value = '']): [string, string][] =>
        // HTTP/2 puts the request line into headers that begin with a colon.
        name.startsWith(':') ? [] : [value].flat().map((one) => [name, one]),
      ),
      signal,
      ...(bodyless ? {} : { body: streamOf(request), duplex: 'half' }),
    });
    return isRead ? attachParsedBody(webRequest, request.body) : webRequest;
  } catch (cause) {
    return new SyncRequestError('MALFORMED', 'The request line or a header is malformed.', { cause });
  }
}

/** The body as a web stream. `Readable.toWeb` would destroy the socket, and with it the answer, when it is left unread. */
function streamOf(request: IncomingMessage): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      start(controller) {
        request.on('data', (chunk: Uint8Array) => {
          request.pause();
          controller.enqueue(chunk);
        });
        request.once('end', () => controller.close());
        request.once('error', (error) => controller.error(error));
        request.pause();
      },
      pull: () => void request.resume(),
    },
    // Nothing is read ahead of what is asked for.
    { highWaterMark: 0 },
  );
}

async function send(
  answered: Response,
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
): Promise<void> {
  const isStream = answered.headers.get('content-type') === 'text/event-stream';
  const body = isStream ? answered.body : (bodyBytesOf(answered) ?? new Uint8Array(await answered.arrayBuffer()));
  if (response.destroyed) {
    await answered.body?.cancel();
    return;
  }
  response.statusCode = answered.status;
  // `vary` is added to, because CORS middleware has its own.
  for (const [name, value] of answered.headers) {
    if (name === 'vary') response.appendHeader(name, value);
    else response.setHeader(name, value);
  }
  if (body instanceof Uint8Array) {
    response.setHeader('content-length', body.byteLength);
    response.end(body);
  } else if (body) await pump(body, response);
  if (!request.complete) dropRest(request);
}

/** Hands a stream on event by event, and takes the next one only when the client has room for it. */
async function pump(body: ReadableStream<Uint8Array>, response: ServerResponse): Promise<void> {
  // The caller learns at once that it is served, not with the first event.
  response.flushHeaders();
  const reader = body.getReader();
  const cancel = () => void reader.cancel();
  response.once('close', cancel);
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    if (!response.write(read.value)) await roomIn(response);
  }
  response.removeListener('close', cancel);
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
