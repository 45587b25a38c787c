/** Carries requests over HTTP with `fetch`: in browsers, workers, Node and on the edge. */
import { REQUEST_TIMEOUT_MS, type SyncPushResponse } from '@objectql/sync-types';
import type { Platform } from '../platform/platform.js';
import { systemPlatform } from '../platform/system-platform.js';
import { withDeadline } from './deadline.js';
import { readAnswer } from './read-answer.js';
import { compressedBody, plainBody, type RequestBody } from './request-body.js';
import { type SyncTransport, TransportError, type TransportOptions } from './transport.js';

/**
 * A token, or what gets one. A function is asked anew for each request, so an expired token is replaced where it is
 * kept. `null` sends none; where that makes the server answer 401, sync pauses until the app has a token again. A
 * function that throws counts as no network: it is asked again at the next try.
 */
export type TokenProvider = string | (() => string | null | Promise<string | null>);

export interface HttpTransportOptions {
  /** The server's sync endpoint without `/push`, e.g. `https://api.example.com/api/sync`. */
  readonly url: string;
  /** Sent as `Authorization: Bearer …`. */
  readonly token?: TokenProvider | undefined;
  /** Sent with each request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Whether cookies go along, as in `fetch`. */
  readonly credentials?: 'include' | 'omit' | 'same-origin' | undefined;
  /** Compress request bodies above 1 KiB, where the platform can. Default `true`. */
  readonly compress?: boolean | undefined;
  /** Milliseconds until a request is given up, its token included. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  /** Bytes of the largest answer that is read, after decompression. Default 64 MiB. */
  readonly maxAnswerBytes?: number | undefined;
  /** What sends the requests. Default: the platform's own `fetch`. */
  readonly fetch?: typeof fetch | undefined;
  readonly platform?: Pick<Platform, 'setTimer' | 'now'> | undefined;
}

/** 64 MiB: the answer to 100 conflicts about records of 256 KiB, each told twice, and room for a page of changes. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/**
 * A transport to `{url}/push` and `{url}/pull`. It rejects with nothing but `TransportError`. A server that refuses
 * compressed bodies (415, or 400 where it does not know them) is sent plain ones from then on.
 *
 * ```text
 * const transport = httpTransport({ url: '/api/sync', token: () => session.token });
 * ```
 */
export function httpTransport(options: HttpTransportOptions): SyncTransport {
  const url = options.url.replace(/\/+$/, '');
  const sender = new Sender(options);
  return {
    push: (request, transportOptions) => sender.send(`${url}/push`, request, transportOptions),
    pull: (request, transportOptions) => sender.send(`${url}/pull`, request, transportOptions),
  };
}

class Sender {
  readonly #options: HttpTransportOptions;
  readonly #platform: Pick<Platform, 'setTimer' | 'now'>;
  #compress: boolean;

  constructor(options: HttpTransportOptions) {
    this.#options = options;
    this.#platform = options.platform ?? systemPlatform;
    this.#compress = options.compress ?? true;
  }

  async send(url: string, request: unknown, transportOptions?: TransportOptions): Promise<SyncPushResponse> {
    const { timeoutMs = REQUEST_TIMEOUT_MS, maxAnswerBytes = MAX_ANSWER_BYTES } = this.#options;
    const platform = this.#platform;
    try {
      return await withDeadline({ timeoutMs, platform, signal: transportOptions?.signal }, async (signal) => {
        const response = await this.#exchange(url, JSON.stringify(request), signal);
        // Whoever uses a transport parses what it answers, as with a transport of the application's own.
        return (await readAnswer(response, { maxAnswerBytes, platform })) as SyncPushResponse;
      });
    } catch (cause) {
      if (cause instanceof TransportError) throw cause;
      throw new TransportError(
        `${url} could not be reached. It is asked again later.`,
        { type: 'unreachable' },
        { cause },
      );
    }
  }

  async #exchange(url: string, json: string, signal: AbortSignal): Promise<Response> {
    if (!this.#compress) return this.#fetch(url, plainBody(json), signal);
    const body = await compressedBody(json);
    const response = await this.#fetch(url, body, signal);
    if (body.encoding === undefined || !mayRefuseEncoding(response)) return response;
    await response.body?.cancel();
    const plainResponse = await this.#fetch(url, plainBody(json), signal);
    if (!mayRefuseEncoding(plainResponse)) this.#compress = false;
    return plainResponse;
  }

  async #fetch(url: string, { body, encoding }: RequestBody, signal: AbortSignal): Promise<Response> {
    const { credentials, headers, token, fetch = globalThis.fetch } = this.#options;
    const bearer = typeof token === 'function' ? await token() : token;
    // Names that differ in case only are one header here, and would be sent twice from a plain object.
    const all = new Headers(headers);
    if (!all.has('accept')) all.set('accept', 'application/json');
    all.set('content-type', 'application/json');
    if (encoding) all.set('content-encoding', encoding);
    if (bearer) all.set('authorization', `Bearer ${bearer}`);
    // Some edge runtimes throw at the mere presence of `credentials`.
    return fetch(url, { method: 'POST', headers: all, body, signal, ...(credentials ? { credentials } : {}) });
  }
}

/** 415 says so; 400 is what a server answers that reads compressed bytes as JSON. */
function mayRefuseEncoding(response: Response): boolean {
  return response.status === 415 || response.status === 400;
}
