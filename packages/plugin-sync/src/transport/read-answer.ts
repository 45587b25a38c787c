/** Reads an HTTP response: the JSON of a success, or why the server refused. */
import type { Platform } from '../platform/platform.js';
import { refusedError } from './refused-error.js';
import { retryAfterMs } from './retry-after.js';
import { TransportError } from './transport.js';
import { claim } from './wire-parser.js';

export interface ReadOptions {
  /** Bytes after decompression; a longer answer is given up. */
  readonly maxAnswerBytes: number;
  readonly platform: Pick<Platform, 'now'>;
  /** Called when a part of the answer has arrived. */
  readonly onProgress: () => void;
}

/**
 * The JSON of a successful response, not yet checked any further. Throws `TransportError`: `refused` for any status
 * that is no success, whatever its body, and `unreadable` for a success whose body is no JSON or too large.
 */
export async function readAnswer(response: Response, options: ReadOptions): Promise<unknown> {
  const value = parseJson(await readText(response, options));
  if (!response.ok) {
    const waitMs = retryAfterMs(response.headers, options.platform.now());
    throw refusedError(Object(value).error, { status: response.status, retryAfterMs: waitMs });
  }
  if (value !== undefined) return value;
  const type = response.headers.get('content-type');
  throw unreadable(`is not JSON but ${type}. Check the URL, and what else answers there`);
}

async function readText(response: Response, { maxAnswerBytes: maxBytes, onProgress }: ReadOptions): Promise<string> {
  const tooLarge = () => unreadable(`is larger than ${maxBytes} bytes`);
  // React Native's responses have no stream; there the size is known only at the end.
  if (!response.body) {
    const text = await response.text();
    if (!(text.length <= maxBytes)) throw tooLarge();
    return text;
  }
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let bytes = 0;
  let text = '';
  for (;;) {
    // The head has arrived, or another chunk.
    onProgress();
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.length;
    // Not the other way around: nothing is larger than a limit that is no number.
    if (!(bytes <= maxBytes)) {
      await reader.cancel();
      throw tooLarge();
    }
    text += decoder.decode(value, { stream: true });
  }
}

function unreadable(problem: string): TransportError {
  return new TransportError(`The answer ${problem}.`, { type: 'unreadable' });
}

/** `undefined` if the text is no JSON. */
function parseJson(text: string): unknown {
  try {
    return claim(JSON.parse(text));
  } catch {
    return undefined;
  }
}
