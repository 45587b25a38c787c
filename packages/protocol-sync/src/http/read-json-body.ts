/** The body of a request, from bytes nobody has checked to a JSON value. Each step has its limit before it starts. */
import { gunzipSync } from 'node:zlib';
import { SyncRequestError } from '../sync-request-error.js';
import { parsedBodyOf } from './body-at-hand.js';
import { checkDepth, parseJson } from './parse-json.js';

export interface ReadOptions {
  /** Holds for the body as it arrives and again for what it unpacks to. */
  readonly maxBytes: number;
  /** Ends the wait for a body that stalls; its reason is what is thrown. */
  readonly signal: AbortSignal;
}

/**
 * The JSON value a request carries. Throws `SyncRequestError`: `UNSUPPORTED_ENCODING` for anything but JSON, plain or
 * gzipped, `TOO_LARGE`, or `MALFORMED` for what is not JSON in UTF-8, too deep, or names a key twice.
 * The request's remaining body is left unread and not cancelled: in Node that would cut the connection on which the
 * error is still to be answered.
 */
export async function readJsonBody(request: Request, { maxBytes, signal }: ReadOptions): Promise<unknown> {
  const parsed = parsedBodyOf(request);
  if (parsed) {
    checkDepth(parsed.body);
    return parsed.body;
  }
  requireJson(request.headers);
  const gzipped = isGzipped(request.headers);
  if (Number(request.headers.get('content-length')) > maxBytes) throw tooLarge(maxBytes);
  const arrived = await arrive(request, { maxBytes, signal });
  return parseJson(decodeUtf8(gzipped ? gunzip(arrived, maxBytes) : arrived));
}

function requireJson(headers: Headers): void {
  const [type = '', ...parameters] = (headers.get('content-type') ?? '').toLowerCase().split(';');
  const charset = parameters.map((parameter) => parameter.trim()).find((parameter) => parameter.startsWith('charset='));
  // A browser sends `application/json` across origins only when the server's CORS rules allow it, so this check also
  // keeps foreign pages from pushing with the user's cookies.
  const isJson = /^application\/(json|[\w.-]+\+json)$/.test(type.trim());
  if (isJson && (charset === undefined || /^charset="?utf-8"?$/.test(charset))) return;
  throw new SyncRequestError(
    'UNSUPPORTED_ENCODING',
    'The body has another content type than JSON in UTF-8. Send it with Content-Type: application/json.',
  );
}

function isGzipped(headers: Headers): boolean {
  const encoding = (headers.get('content-encoding') ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity') return false;
  if (encoding === 'gzip' || encoding === 'x-gzip') return true;
  throw new SyncRequestError(
    'UNSUPPORTED_ENCODING',
    'The body has a Content-Encoding that is not supported. Send it plain or as gzip.',
  );
}

/** The bytes as sent. */
async function arrive(request: Request, { maxBytes, signal }: ReadOptions): Promise<Uint8Array<ArrayBuffer>> {
  if (!request.body) return new Uint8Array();
  const reader = request.body.getReader();
  // Releasing the lock rejects the read that waits.
  const giveUp = () => reader.releaseLock();
  signal.addEventListener('abort', giveUp);
  try {
    return await collect(reader, maxBytes);
  } catch (cause) {
    if (cause instanceof SyncRequestError) throw cause;
    signal.throwIfAborted();
    throw new SyncRequestError('MALFORMED', 'The body ended before it was complete. Send it again.', { cause });
  } finally {
    signal.removeEventListener('abort', giveUp);
    reader.releaseLock();
  }
}

/**
 * What gzipped bytes unpack to. Unpacks no further than the limit, so a bomb costs no more than an honest body; and at
 * once, because a whole body is unpacked in less time than it takes to parse.
 */
function gunzip(bytes: Uint8Array<ArrayBuffer>, maxBytes: number): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (cause instanceof RangeError) throw tooLarge(maxBytes);
    throw new SyncRequestError('MALFORMED', 'The body is not gzip, although Content-Encoding says so.', { cause });
  }
}

async function collect(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.byteLength;
    if (length > maxBytes) throw tooLarge(maxBytes);
    chunks.push(value);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SyncRequestError('MALFORMED', 'The body is not UTF-8. Send JSON encoded as UTF-8.', { cause });
  }
}

function tooLarge(maxBytes: number): SyncRequestError {
  return new SyncRequestError(
    'TOO_LARGE',
    `The body is larger than ${maxBytes} bytes, as sent or unpacked. Send fewer mutations in one request.`,
  );
}
