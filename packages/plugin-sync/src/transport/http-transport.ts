/** Carries requests over HTTP with `fetch`: in browsers, workers, Node and on the edge. */
import {
  type MutationLogEntry,
  NEXT_PAGE_HEADER,
  REQUEST_TIMEOUT_MS,
  type SyncPushResponse,
} from '@objectql/sync-types';
import type { Platform } from '../platform/platform.js';
import { systemPlatform } from '../platform/system-platform.js';
import { SyncUsageError } from '../sync-usage-error.js';
import { withDeadline } from './deadline.js';
import { readAnswer } from './read-answer.js';
import { beginBody, headOf, type RequestBody, tailOf, wholeBody } from './request-body.js';
import { type SyncTransport, TransportError, type TransportOptions } from './transport.js';

/**
 * A token, or a function that gets one. The function is called for each request, so that you can replace an expired
 * token. `null` sends none; if the server then answers 401, sync pauses until the app has a token again. A function
 * that throws counts as no network: it is called again at the next try.
 */
export type TokenProvider = string | (() => string | null | Promise<string | null>);

/** Where the server is, and how to ask it. */
export interface HttpTransportOptions {
  /** The server's sync endpoint without `/push`, e.g. `https://api.example.com/api/sync`. */
  readonly url: string;
  /** Sent as `Authorization: Bearer …`; a function is called for each request, may be async, and may answer `null`. */
  readonly token?: TokenProvider | undefined;
  /** Sent with each request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Whether cookies go along, as in `fetch`. Default `same-origin`; `include` for another origin. */
  readonly credentials?: 'include' | 'omit' | 'same-origin' | undefined;
  /** Compress request bodies above 1 KiB, where the platform can. Default `true`. */
  readonly compress?: boolean | undefined;
  /**
   * Milliseconds until a request is given up, its token included, if nothing of its answer has arrived; then until more
   * of it has, and ten times as long in all. Default and most: 30,000.
   */
  readonly timeoutMs?: number | undefined;
  /** Bytes of the largest answer that is read, after decompression. Default 64 MiB. */
  readonly maxAnswerBytes?: number | undefined;
  /** What sends the requests. Default: the platform's own `fetch`. */
  readonly fetch?: typeof fetch | undefined;
  /** Timers, for tests. Default: the system's. */
  readonly platform?: Pick<Platform, 'setTimer' | 'now'> | undefined;
}

/** 64 MiB: the answer to 100 conflicts about records of 256 KiB, each told twice, and room for a page of changes. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/**
 * A transport to `{url}/push`, `{url}/pull` and `{url}/stream`. It rejects only with `TransportError`. If the server
 * refuses compressed bodies (415, or 400 if it does not know them), it sends plain ones from then on. Throws
 * `SyncUsageError` without a `url`.
 *
 * ```text
 * const transport = httpTransport({ url: '/api/sync', token: () => session.token });
 * ```
 */
export function httpTransport(options: HttpTransportOptions): SyncTransport {
  const { timeoutMs = REQUEST_TIMEOUT_MS, maxAnswerBytes = MAX_ANSWER_BYTES, platform = systemPlatform } = options;
  if (typeof options.url !== 'string') throw new SyncUsageError('INVALID_CONFIG', 'url must be a text.');
  const base = options.url.replace(/\/+$/, '');
  let compresses = options.compress ?? true;
  /** The mutations the next push will probably carry, and what makes its body. */
  let begun:
    | { readonly mutations: readonly MutationLogEntry[]; readonly finish: (tail: string) => RequestBody }
    | undefined;
  /** The last body, while it is being compressed. */
  let zipping: Promise<ArrayBuffer> | undefined;

  async function send(url: string, body: RequestBody, sending?: TransportOptions): Promise<SyncPushResponse> {
    try {
      return await withDeadline({ ...sending, timeoutMs, platform }, async ({ signal, onProgress }) => {
        const response = await exchange(url, body, signal);
        const nextPage = response.headers.get(NEXT_PAGE_HEADER);
        if (nextPage !== null) sending?.onNextPage?.(nextPage);
        // The caller parses the answer, as it does with an application's own transport.
        const answer = (await readAnswer(response, { maxAnswerBytes, platform, onProgress })) as SyncPushResponse;
        // Otherwise the caller is busy with the answer for a while, and the request asked meanwhile is sent only after
        // that.
        await zipping;
        return answer;
      });
    } catch (cause) {
      if (cause instanceof TransportError) throw cause;
      throw new TransportError(`${url} could not be reached.`, { type: 'unreachable' }, { cause });
    }
  }

  async function exchange(url: string, { json, zipped: zip }: RequestBody, signal: AbortSignal): Promise<Response> {
    zipping = compresses ? zip() : undefined;
    const zipped = await zipping;
    if (!zipped) return ask(options, { url, body: json, signal });
    const response = await ask(options, { url, body: zipped, signal });
    if (!mayRefuseEncoding(response)) return response;
    await response.body?.cancel();
    const plainResponse = await ask(options, { url, body: json, signal });
    if (!mayRefuseEncoding(plainResponse)) compresses = false;
    return plainResponse;
  }

  return {
    push({ mutations, ...rest }, sending) {
      const tail = tailOf(rest);
      const isBegun = begun && isSame(begun.mutations, mutations);
      const body = begun && isBegun ? begun.finish(tail) : wholeBody(headOf(mutations) + tail);
      begun = undefined;
      return send(`${base}/push`, body, sending);
    },
    pull: (request, sending) => send(`${base}/pull`, wholeBody(JSON.stringify(request)), sending),
    prepare(mutations) {
      if (compresses) begun = { mutations, finish: beginBody(headOf(mutations)) };
    },
    stream: (checkpoint, { signal }) =>
      ask(options, { url: `${base}/stream?checkpoint=${encodeURIComponent(checkpoint)}`, signal }),
  };
}

function isSame(some: readonly MutationLogEntry[], others: readonly MutationLogEntry[]): boolean {
  return some.length === others.length && some.every((mutation, index) => mutation === others[index]);
}

interface Question {
  readonly url: string;
  /** JSON, plain or compressed; without a body, a stream is requested. */
  readonly body?: string | ArrayBuffer;
  readonly signal: AbortSignal;
}

async function ask(options: HttpTransportOptions, { url, body, signal }: Question): Promise<Response> {
  const { credentials, token, fetch = globalThis.fetch } = options;
  const bearer = typeof token === 'function' ? await token() : token;
  // Names that differ only in case are one header here; a plain object would send both.
  const headers = new Headers(options.headers);
  if (!headers.has('accept')) headers.set('accept', body ? 'application/json' : 'text/event-stream');
  if (body) headers.set('content-type', 'application/json');
  if (body && typeof body !== 'string') headers.set('content-encoding', 'gzip');
  if (bearer) headers.set('authorization', `Bearer ${bearer}`);
  // Some edge runtimes throw at the mere presence of `credentials`.
  return fetch(url, {
    headers,
    signal,
    ...(body ? { method: 'POST', body } : {}),
    ...(credentials ? { credentials } : {}),
  });
}

/** 415 says so; a server that reads compressed bytes as JSON answers 400. */
function mayRefuseEncoding(response: Response): boolean {
  return response.status === 415 || response.status === 400;
}
