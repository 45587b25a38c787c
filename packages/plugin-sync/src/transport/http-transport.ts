/** Carries requests over HTTP with `fetch`: gzip, a timeout, a token for each request, and refusals told apart. */
import { MAX_BODY_BYTES, REQUEST_TIMEOUT_MS, type SyncPushResponse } from '@objectql/sync-types';
import type { Platform } from '../platform/platform.js';
import { systemPlatform } from '../platform/system-platform.js';
import { parseRefusal } from './parse-answer.js';
import { type SyncTransport, TransportError, type TransportOptions } from './transport.js';

/** A token, or what gets one: asked anew for every request, so that an expired one is replaced where it is kept. */
export type TokenProvider = string | (() => string | null | Promise<string | null>);

export interface HttpTransportOptions {
  /** The server's sync endpoint without `/push`, e.g. `https://api.example.com/api/sync`. */
  readonly url: string;
  /** Sent as `Authorization: Bearer …`; nothing is sent for `null`. */
  readonly token?: TokenProvider | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Whether cookies go along, as in `fetch`. */
  readonly credentials?: RequestCredentials | undefined;
  /** Compress large request bodies. Default true, where the platform can. */
  readonly compress?: boolean | undefined;
  /** Milliseconds until a request is given up. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  readonly fetch?: typeof fetch | undefined;
  readonly platform?: Pick<Platform, 'setTimer' | 'now'> | undefined;
}

/** 1 KiB: below it, gzip saves less than its own overhead on the way. */
const COMPRESS_FROM_BYTES = 1024;
/** 8 MiB of text: a page may be 1 MiB of records, and a single record more only in what surrounds it. */
const MAX_ANSWER_CHARACTERS = 8 * MAX_BODY_BYTES;
const MS_PER_SECOND = 1000;

/** A transport to `{url}/push` and `{url}/pull`. It never throws anything but `TransportError`. */
export function httpTransport(options: HttpTransportOptions): SyncTransport {
  const url = options.url.replace(/\/+$/, '');
  return {
    push: (request, transportOptions) => exchange(`${url}/push`, request, { options, transportOptions }),
    pull: (request, transportOptions) => exchange(`${url}/pull`, request, { options, transportOptions }),
  };
}

interface Exchange {
  readonly options: HttpTransportOptions;
  readonly transportOptions: TransportOptions | undefined;
}

async function exchange(
  url: string,
  request: unknown,
  { options, transportOptions }: Exchange,
): Promise<SyncPushResponse> {
  const { platform = systemPlatform, timeoutMs = REQUEST_TIMEOUT_MS } = options;
  const controller = new AbortController();
  const stopTimer = platform.setTimer(
    () => controller.abort(new TransportError(`No answer within ${timeoutMs} ms.`, { type: 'timeout' })),
    timeoutMs,
  );
  const stopped = transportOptions?.signal;
  const abort = () => controller.abort(abortReason(stopped));
  if (stopped?.aborted) abort();
  stopped?.addEventListener('abort', abort, { once: true });
  try {
    const response = await send(url, request, { options, signal: controller.signal });
    const text = await readText(response);
    return readAnswer(response, text, platform.now());
  } catch (cause) {
    if (controller.signal.aborted) throw controller.signal.reason;
    if (cause instanceof TransportError) throw cause;
    throw new TransportError('The server could not be reached.', { type: 'unreachable' }, { cause });
  } finally {
    stopTimer();
    stopped?.removeEventListener('abort', abort);
  }
}

async function send(
  url: string,
  request: unknown,
  { options, signal }: { readonly options: HttpTransportOptions; readonly signal: AbortSignal },
): Promise<Response> {
  const { credentials, fetch: fetchIt = globalThis.fetch, compress = true } = options;
  const token = typeof options.token === 'function' ? await options.token() : options.token;
  const { body, encoding } = await encode(JSON.stringify(request), compress);
  return fetchIt(url, {
    method: 'POST',
    headers: {
      ...options.headers,
      'content-type': 'application/json',
      ...(encoding ? { 'content-encoding': encoding } : {}),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    body,
    signal,
    ...(credentials ? { credentials } : {}),
  });
}

async function encode(text: string, compress: boolean): Promise<{ body: BodyInit; encoding?: string }> {
  if (!compress || text.length < COMPRESS_FROM_BYTES || typeof CompressionStream === 'undefined') return { body: text };
  // Gathered before it is sent: streamed request bodies need HTTP/2 in browsers and cannot be sent again.
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  return { body: await new Response(stream).arrayBuffer(), encoding: 'gzip' };
}

/** The answer's text, cut off when it is larger than any answer: a server out of its mind must not fill the memory. */
async function readText(response: Response): Promise<string> {
  if (!response.body) return '';
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let text = '';
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    text += decoder.decode(read.value, { stream: true });
    if (text.length > MAX_ANSWER_CHARACTERS) {
      await reader.cancel();
      throw new TransportError('The answer is too large to be one of a sync server.', { type: 'unreadable' });
    }
  }
  return text + decoder.decode();
}

function readAnswer(response: Response, text: string, now: number): SyncPushResponse {
  const { status } = response;
  const value = parse(text);
  if (!response.ok) throw refusal(response, value, now);
  if (value === undefined) {
    const type = response.headers.get('content-type') ?? 'no content type';
    throw new TransportError(`The answer (status ${status}, ${type}) is not JSON.`, { type: 'unreadable' });
  }
  // The engine parses whatever a transport hands it; here it only had to be JSON.
  return value as SyncPushResponse;
}

function refusal(response: Response, value: unknown, now: number): TransportError {
  const told = parseRefusal(value);
  const retryAfterMs = told?.retryAfterMs ?? retryAfterOf(response.headers.get('retry-after'), now);
  return new TransportError(told?.message ?? `The server answered with status ${response.status}.`, {
    type: 'refused',
    status: response.status,
    ...(told?.code === undefined ? {} : { code: told.code }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** `Retry-After` is a number of seconds or an HTTP date (RFC 9110, section 10.2.3). */
function retryAfterOf(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * MS_PER_SECOND;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function abortReason(signal: AbortSignal | undefined): TransportError {
  const reason: unknown = signal?.reason;
  if (reason instanceof TransportError) return reason;
  return new TransportError('The request was ended.', { type: 'aborted' }, { cause: reason });
}
