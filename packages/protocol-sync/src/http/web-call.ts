/** Web requests as the endpoint sees them, and its answers as web responses. */
import { parsedBodyOf } from './body-at-hand.js';
import type { HttpAnswer, HttpCall, ReadBody, ReadBodyOptions } from './http-call.js';

export function webCall(request: Request): HttpCall {
  const { method, url, headers, signal } = request;
  return {
    method,
    url,
    header: (name) => (name === 'accept-encoding' && isOfNext(request) ? null : headers.get(name)),
    parsedBody: parsedBodyOf(request),
    readBody: (options) => readBody(request, options),
    get isGone() {
      return signal.aborted;
    },
    onGone: (listener) => {
      if (signal.aborted) listener();
      else signal.addEventListener('abort', listener);
    },
    toRequest: () => request,
  };
}

/**
 * Next.js, from 16.4 on, drops `Content-Encoding` from the answers of route handlers, so that clients would take gzip
 * for JSON; it packs answers by itself. Only its requests have this property.
 */
function isOfNext(request: Request): boolean {
  return 'nextUrl' in request;
}

/**
 * Workers gzip a body that is marked as gzipped once more, unless this option is set; other platforms do not know it.
 */
const PACKED_ALREADY: object = { encodeBody: 'manual' };

export function toResponse({ status, headers, body }: HttpAnswer): Response {
  const packed = 'content-encoding' in headers ? PACKED_ALREADY : {};
  return new Response(body, { status, headers, ...packed });
}

async function readBody(request: Request, { maxBytes, signal }: ReadBodyOptions): Promise<ReadBody> {
  if (!request.body) return { bytes: new Uint8Array() };
  if (request.bodyUsed || request.body.locked) return { failed: 'READ_BEFORE' };
  const reader = request.body.getReader();
  // Releasing the lock rejects the pending read.
  const giveUp = () => reader.releaseLock();
  signal.addEventListener('abort', giveUp);
  try {
    return await collect(reader, maxBytes);
  } catch (cause) {
    // A framework may let the body fail at a limit of its own, as SvelteKit does: a smaller one comes through.
    return Object(cause).status === 413 ? { failed: 'TOO_LARGE' } : { failed: 'BROKEN_OFF', cause };
  } finally {
    signal.removeEventListener('abort', giveUp);
    reader.releaseLock();
  }
}

async function collect(reader: ReadableStreamDefaultReader<Uint8Array>, maxBytes: number): Promise<ReadBody> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.byteLength;
    if (length > maxBytes) return { failed: 'TOO_LARGE' };
    chunks.push(value);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return { bytes };
}
