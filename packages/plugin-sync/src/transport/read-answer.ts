/** Reads an HTTP response: the JSON of a success, or why the server refused. */
import type { Platform } from '../platform/platform.js';
import { parseRefusal } from './parse-refusal.js';
import { retryAfterMs } from './retry-after.js';
import { TransportError } from './transport.js';

export interface ReadOptions {
  /** Bytes after decompression; a longer answer is given up. */
  readonly maxAnswerBytes: number;
  readonly platform: Pick<Platform, 'now'>;
}

/**
 * The JSON of a successful response, not yet checked any further. Throws `TransportError`: `refused` for any status
 * that is no success, whatever its body, and `unreadable` for a success whose body is no JSON or too large.
 */
export async function readAnswer(response: Response, options: ReadOptions): Promise<unknown> {
  const text = await readText(response, options.maxAnswerBytes);
  const value = parseJson(text);
  if (!response.ok) throw refusedError(response, value, options.platform.now());
  if (value !== undefined) return value;
  const type = response.headers.get('content-type') ?? 'none';
  const what = text === '' ? 'is empty' : `is not JSON (content type: ${type})`;
  throw new TransportError(
    `The answer of ${response.url || 'the server'} ${what}. Something else than a sync server may be in between, e.g. a login page.`,
    { type: 'unreadable' },
  );
}

async function readText(response: Response, maxBytes: number): Promise<string> {
  // React Native's responses have no stream; there the size is seen when all of it has come.
  if (!response.body) {
    const text = await response.text();
    if (text.length > maxBytes) throw tooLargeError(maxBytes);
    return text;
  }
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let bytes = 0;
  let text = '';
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    bytes += read.value.length;
    if (bytes > maxBytes) {
      await reader.cancel();
      throw tooLargeError(maxBytes);
    }
    text += decoder.decode(read.value, { stream: true });
  }
  return text + decoder.decode();
}

function tooLargeError(maxBytes: number): TransportError {
  return new TransportError(`The answer is larger than ${maxBytes} bytes and was given up.`, { type: 'unreadable' });
}

/** `undefined` for what is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusedError(response: Response, body: unknown, now: number): TransportError {
  const refusal = parseRefusal(body);
  const waitMs = refusal?.retryAfterMs ?? retryAfterMs(response.headers, now);
  return new TransportError(refusal?.message ?? `The server answered with status ${response.status}.`, {
    type: 'refused',
    status: response.status,
    ...(refusal?.code === undefined ? {} : { code: refusal.code }),
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
  });
}
