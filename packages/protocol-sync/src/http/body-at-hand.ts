/**
 * Bodies that are at hand in another shape than a stream: of a request that a framework has parsed before the sync endpoint
 * sees it, of an answer that is bytes before it is a web response.
 */

// Registered symbols on the objects themselves: a process may hold this package twice, as ESM and as CommonJS.
const PARSED_BODY = Symbol.for('@objectql/protocol-sync/parsed-body');

/** Gives `request` a body that is already parsed; the endpoint then reads no other. */
export function attachParsedBody(request: Request, body: unknown): Request {
  return Object.defineProperty(request, PARSED_BODY, { value: { body } });
}

/** The body attached to `request`, or `undefined` when it is still to be read. */
export function parsedBodyOf(request: Request): { readonly body: unknown } | undefined {
  return (request as { [PARSED_BODY]?: { readonly body: unknown } })[PARSED_BODY];
}

const BODY_BYTES = Symbol.for('@objectql/protocol-sync/body-bytes');

/** Lets who sends `response` have its body without reading a stream. */
export function attachBodyBytes(response: Response, bytes: Uint8Array): Response {
  return Object.defineProperty(response, BODY_BYTES, { value: bytes });
}

/** The bytes of the body of `response`, where they are at hand. */
export function bodyBytesOf(response: Response): Uint8Array | undefined {
  return (response as { [BODY_BYTES]?: Uint8Array })[BODY_BYTES];
}
