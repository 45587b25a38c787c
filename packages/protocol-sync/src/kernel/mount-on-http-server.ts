/** Puts the sync endpoint on ObjectStack's HTTP server. */
import { attachParsedBody } from '../http/body-at-hand.js';
import type { SyncEndpoint } from '../http/sync-endpoint.js';
import { actionsOf, METHOD_BY_ACTION } from '../http/sync-route.js';

/** The part of the service `http.server` that sync needs, as `@objectstack/plugin-hono-server` registers it. */
export interface HttpServer {
  post(path: string, handle: HttpServerHandler): void;
  get(path: string, handle: HttpServerHandler): void;
  /** The Hono app underneath, if the server is built on Hono. */
  getRawApp?(): HonoApp | undefined;
}

type HttpServerHandler = (request: HttpServerRequest, response: HttpServerResponse) => Promise<void>;

interface HonoApp {
  all(path: string, handle: (context: { readonly req: { readonly raw: Request } }) => Promise<Response>): unknown;
}

interface HttpServerRequest {
  readonly body?: unknown;
  /** The query's parameters, decoded. */
  readonly query?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

interface HttpServerResponse {
  status(code: number): unknown;
  header(name: string, value: string): unknown;
  json(value: unknown): unknown;
  /** Used with `end` for answers that last longer than their handler. */
  write?(chunk: string): unknown;
  end?(): unknown;
}

export interface Mounting {
  readonly endpoint: SyncEndpoint;
  readonly path: string;
  /** Whether the endpoint has a stream. */
  readonly realtime: boolean;
}

/** Serves push, pull and, if there is one, the stream below `path`. */
export function mountOnHttpServer(server: HttpServer, { endpoint, path, realtime }: Mounting): void {
  const app = server.getRawApp?.();
  for (const action of actionsOf({ realtime })) {
    const route = `${path}/${action}`;
    const method = METHOD_BY_ACTION[action];
    const handle: HttpServerHandler = (request, response) =>
      answerParsed(toWebRequest(request, { method, route }), { response, endpoint });
    // The app underneath is preferred, because the server itself parses a body of any size before it passes it on.
    if (app) app.all(route, ({ req }) => endpoint(req.raw));
    else if (method === 'GET') server.get(route, handle);
    else server.post(route, handle);
  }
}

interface Answering {
  readonly response: HttpServerResponse;
  readonly endpoint: SyncEndpoint;
}

async function answerParsed(request: Request, { response, endpoint }: Answering): Promise<void> {
  const answer = await endpoint(request);
  response.status(answer.status);
  for (const [name, value] of answer.headers) response.header(name, value);
  if (answer.headers.get('content-type') !== 'text/event-stream') response.json(await answer.json());
  else await beginToPump(answer, response);
}

function toWebRequest(
  { headers, body, query = {} }: HttpServerRequest,
  { method, route }: { readonly method: 'POST' | 'GET'; readonly route: string },
): Request {
  const url = new URL(`http://localhost${route}`);
  for (const [name, values = []] of Object.entries(query)) {
    for (const value of [values].flat()) url.searchParams.append(name, value);
  }
  return attachParsedBody(new Request(url, { method, headers: plainHeaders(headers) }), body);
}

/**
 * Resolves with the first event written: the server sends its answer when the handler is done, and then continues. It
 * does not tell whether the caller reads what is written; pokes are few and small, and the stream's end limits them.
 */
async function beginToPump({ body }: Response, response: HttpServerResponse): Promise<void> {
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  const first = await reader?.read();
  response.write?.(first?.value ?? '');
  void pump(reader, response);
}

async function pump(
  reader: ReadableStreamDefaultReader<string> | undefined,
  response: HttpServerResponse,
): Promise<void> {
  try {
    for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) response.write?.(read.value);
    response.end?.();
  } catch {
    // The server throws when something is written to a caller who is gone, and reports it in no other way.
    await reader?.cancel();
  }
}

function plainHeaders(headers: HttpServerRequest['headers']): Headers {
  const plain = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    // Answers are passed on as values, not as bytes, so they cannot be gzipped.
    if (value !== undefined && name.toLowerCase() !== 'accept-encoding') plain.set(name, [value].flat().join(', '));
  }
  return plain;
}
