/** The body of a request, from bytes nobody has checked to a JSON value. Each step has its limit before it starts. */
import { gunzipSync } from 'node:zlib';
import { SyncRequestError } from '../sync-request-error.js';
import type { HttpCall, ReadBodyOptions } from './http-call.js';
import { checkDepth, parseJson } from './parse-json.js';

/**
 * The JSON value of a request. Throws `SyncRequestError`: `UNSUPPORTED_ENCODING` for anything but JSON, plain or
 * gzipped; `TOO_LARGE`; or `MALFORMED` for a body that is not JSON in UTF-8, is too deep, or names a key twice. The
 * rest of the body is left unread and not cancelled: in Node that would cut the connection on which the error is still
 * to be answered.
 */
export async function readJsonBody(call: HttpCall, options: ReadBodyOptions): Promise<unknown> {
  requireJson(call.header('content-type'));
  const { parsedBody } = call;
  if (parsedBody) return checkParsed(parsedBody.body);
  const { maxBytes } = options;
  const gzipped = isGzipped(call.header('content-encoding'));
  if (Number(call.header('content-length')) > maxBytes) throw tooLarge(maxBytes);
  const arrived = await arrive(call, options);
  return parseJson(decodeUtf8(gzipped ? gunzip(arrived, maxBytes) : arrived));
}

function requireJson(contentType: string | null): void {
  const [type = '', ...parameters] = (contentType ?? '').toLowerCase().split(';');
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

/** The body as somebody before us has parsed it. */
function checkParsed(body: unknown): unknown {
  if (typeof body !== 'object' || ArrayBuffer.isView(body)) throw readBefore();
  checkDepth(body);
  return body;
}

function isGzipped(contentEncoding: string | null): boolean {
  const encoding = (contentEncoding ?? 'identity').toLowerCase();
  if (encoding === 'identity') return false;
  if (encoding === 'gzip' || encoding === 'x-gzip') return true;
  throw new SyncRequestError(
    'UNSUPPORTED_ENCODING',
    'The body has a Content-Encoding that is not supported. Send it plain or as gzip.',
  );
}

/** The bytes as sent. */
async function arrive(call: HttpCall, { maxBytes, signal }: ReadBodyOptions): Promise<Uint8Array> {
  // The time is over already if it took too long to authenticate the caller.
  signal.throwIfAborted();
  // The limit holds for the body as it arrives, and again for the unpacked one.
  const read = await call.readBody({ maxBytes, signal });
  if ('bytes' in read) return read.bytes;
  if (read.failed === 'TOO_LARGE') throw tooLarge(maxBytes);
  if (read.failed === 'READ_BEFORE') throw readBefore();
  signal.throwIfAborted();
  const { cause } = read;
  throw new SyncRequestError('MALFORMED', 'The body ended before it was complete. Send it again.', { cause });
}

/**
 * Unpacks gzipped bytes, but only up to the limit, so a bomb costs no more than an honest body. Synchronous, because
 * unpacking a whole body takes less time than parsing it.
 */
function gunzip(bytes: Uint8Array, maxBytes: number): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (cause instanceof RangeError) throw tooLarge(maxBytes);
    throw new SyncRequestError('MALFORMED', 'The body is not gzip, although Content-Encoding says so.', { cause });
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return UTF_8.decode(bytes);
  } catch (cause) {
    throw new SyncRequestError('MALFORMED', 'The body is not UTF-8. Send JSON encoded as UTF-8.', { cause });
  }
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true });

function readBefore(): SyncRequestError {
  return new SyncRequestError(
    'MALFORMED',
    'Something in front of sync has read the body and left no parsed JSON in `request.body`. Let sync read the body itself.',
  );
}

function tooLarge(maxBytes: number): SyncRequestError {
  return new SyncRequestError(
    'TOO_LARGE',
    `The body, as sent or unpacked, is larger than ${maxBytes} bytes or a limit in front of sync. Send fewer mutations in one request.`,
  );
}
