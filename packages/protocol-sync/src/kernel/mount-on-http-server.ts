/** Puts the sync endpoint on ObjectStack's HTTP server. */
import { attachParsedBody } from '../http/parsed-body.js';
import type { SyncEndpoint } from '../http/sync-endpoint.js';

/** What is needed of the service `http.server`, as `@objectstack/plugin-hono-server` registers it. */
export interface HttpServer {
  post(path: string, handle: (request: HttpServerRequest, response: HttpServerResponse) => Promise<void>): void;
  /** The Hono app underneath, where the server is built on Hono. */
  getRawApp?(): HonoApp | undefined;
}

interface HonoApp {
  all(path: string, handle: (context: { readonly req: { readonly raw: Request } }) => Promise<Response>): unknown;
}

interface HttpServerRequest {
  readonly body?: unknown;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

interface HttpServerResponse {
  status(code: number): unknown;
  header(name: string, value: string): unknown;
  json(value: unknown): unknown;
}

/** Serves push and pull below `path`. */
export function mountOnHttpServer(
  server: HttpServer,
  { endpoint, path }: { endpoint: SyncEndpoint; path: string },
): void {
  const app = server.getRawApp?.();
  for (const route of [`${path}/push`, `${path}/pull`]) {
    // The app underneath is preferred because the server itself parses a body of any size before it hands it on.
    if (app) app.all(route, ({ req }) => endpoint(req.raw));
    else server.post(route, (request, response) => answerParsed(request, { response, route, endpoint }));
  }
}

interface Answering {
  readonly response: HttpServerResponse;
  readonly route: string;
  readonly endpoint: SyncEndpoint;
}

async function answerParsed(
  { headers, body }: HttpServerRequest,
  { response, route, endpoint }: Answering,
): Promise<void> {
  const webRequest = new Request(`http://localhost${route}`, { method: 'POST', headers: plainHeaders(headers) });
  const answer = await endpoint(attachParsedBody(webRequest, body));
  response.status(answer.status);
  for (const [name, value] of answer.headers) response.header(name, value);
  response.json(await answer.json());
}

function plainHeaders(headers: HttpServerRequest['headers']): Headers {
  const plain = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    // Answers are handed on as values, not as bytes, so they cannot be packed.
    if (value !== undefined && name.toLowerCase() !== 'accept-encoding') plain.set(name, [value].flat().join(', '));
  }
  return plain;
}
