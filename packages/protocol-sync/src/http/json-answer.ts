/** Answers as JSON, gzipped if the caller accepts it and it pays. */
import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';
import { NEXT_PAGE_HEADER, type SyncErrorBody, utf8Bytes } from '@objectql/sync-types';
import type { AnswerText } from '../feed/answer-text.js';
import type { SyncRequestError } from '../sync-request-error.js';
import type { HttpAnswer } from './http-call.js';

/**
 * 8 KiB: six packets, and a connection begins with ten at once (RFC 6928). So a smaller answer comes no sooner, and
 * packing and unpacking would be a third of the time of so small a request ([decision
 * 27](../../../../docs/adr/0027-small-answers-go-out-as-they-are.md)).
 */
export const GZIP_MIN_BYTES = 8 * 1024;

/** 1: on answers it is three times faster than the default of 6 and makes them a tenth larger. */
const GZIP_LEVEL = 1;

/**
 * 64 KiB: the answer to a push of 500 is 45 KiB and is packed in a sixth of a millisecond, half the cost of using a
 * thread. Larger ones go to a thread.
 */
const GZIP_AT_ONCE_BYTES = 64 * 1024;
/** 256 KiB: a packed page fits in it. Each chunk is a round trip to the thread, and by default chunks are 16 KiB. */
const GZIP_CHUNK_BYTES = 256 * 1024;
const gzipOf = promisify(gzip);

/** 200 with a JSON text, in the encoding the caller accepts. */
export async function jsonAnswer({ text, nextPage }: AnswerText, acceptEncoding: string | null): Promise<HttpAnswer> {
  // `Vary` even if nothing is packed: with another Accept-Encoding the same request would have another answer.
  const headers = {
    ...NEVER_STORED,
    vary: 'accept-encoding',
    ...(nextPage === undefined ? {} : { [NEXT_PAGE_HEADER]: nextPage }),
  };
  // A text has at least as many bytes as units.
  if ((text.length < GZIP_MIN_BYTES && utf8Bytes(text) < GZIP_MIN_BYTES) || !acceptsGzip(acceptEncoding)) {
    return { status: 200, headers, body: text };
  }
  const isSmall = text.length < GZIP_AT_ONCE_BYTES;
  const packed = isSmall
    ? gzipSync(text, { level: GZIP_LEVEL })
    : await gzipOf(text, { level: GZIP_LEVEL, chunkSize: GZIP_CHUNK_BYTES });
  return { status: 200, headers: { ...headers, 'content-encoding': 'gzip' }, body: packed };
}

/**
 * The error as status, body and, if another try makes sense, `Retry-After` in whole seconds. A request that cannot be
 * served now ends its connection: if this process is about to stop, another one can serve the next try.
 */
export function errorAnswer(error: SyncRequestError, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  const body: SyncErrorBody = error.toBody();
  const { retryAfterMs } = error;
  const retry = retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) };
  const end = error.status === 503 ? END_OF_CONNECTION : {};
  return {
    status: error.status,
    headers: { ...NEVER_STORED, ...retry, ...end, ...headers },
    body: JSON.stringify(body),
  };
}

/** For HTTP/1; with other versions servers leave it out. */
export const END_OF_CONNECTION = { connection: 'close' } as const;
const NEVER_STORED = { 'content-type': 'application/json', 'cache-control': 'no-store' } as const;

/** RFC 9110, 12.5.3: a weight of 0 refuses; `*` stands for what is not named. */
function acceptsGzip(acceptEncoding: string | null): boolean {
  const weights = new Map(
    (acceptEncoding ?? '').split(',').map((entry) => {
      const [coding = '', weight = ''] = entry.split(';').map((part) => part.trim().toLowerCase());
      return [coding, weight.startsWith('q=') ? Number(weight.slice(2)) : 1] as const;
    }),
  );
  return (weights.get('gzip') ?? weights.get('*') ?? 0) > 0;
}
