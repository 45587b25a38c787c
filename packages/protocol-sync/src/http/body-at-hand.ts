/** Bodies that a framework has parsed before the sync endpoint sees their requests. */

// A registered symbol on the request itself: a process may hold this package twice, as ESM and as CommonJS.
const PARSED_BODY = Symbol.for('@objectql/protocol-sync/parsed-body');

/** Gives `request` a body that is already parsed; the endpoint then reads no other. */
export function attachParsedBody(request: Request, body: unknown): Request {
  return Object.defineProperty(request, PARSED_BODY, { value: { body } });
}

/** The body attached to `request`, or `undefined` when it is still to be read. */
export function parsedBodyOf(request: Request): { readonly body: unknown } | undefined {
  return (request as { [PARSED_BODY]?: { readonly body: unknown } })[PARSED_BODY];
}
