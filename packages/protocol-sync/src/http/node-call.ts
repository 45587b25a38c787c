/** Requests of `node:http` and Express as the endpoint sees them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { attachParsedBody } from './body-at-hand.js';
import type { HttpCall, ReadBody, ReadBodyOptions } from './http-call.js';

/** A request as Express passes it on; plain `node:http` sets neither of the two. */
export type NodeRequest = IncomingMessage & { readonly originalUrl?: string; readonly body?: unknown };

export class NodeCall implements HttpCall {
  readonly method: string;
  readonly url: string;
  readonly parsedBody: { readonly body: unknown } | undefined;
  readonly #request: NodeRequest;
  readonly #goneListeners: (() => void)[] = [];
  isGone: boolean;

  constructor(request: NodeRequest, response: ServerResponse) {
    const { method = 'GET', headers, originalUrl = request.url ?? '/' } = request;
    this.#request = request;
    this.method = method;
    this.url = `http://${headers.host ?? 'localhost'}${originalUrl}`;
    // Something before us has read the stream, or met its end because it was empty. If nothing has, Express 4 still
    // puts an empty object in `body`.
    const isRead = request.readableDidRead || request.readableEnded;
    this.parsedBody = isRead ? { body: request.body } : undefined;
    // Already true if the client left while code before us was working.
    this.isGone = response.destroyed;
    response.once('close', () => {
      // Not whether it is finished: on HTTP/2, an answer that its client has cut off counts as finished, too.
      if (response.writableEnded) return;
      this.isGone = true;
      for (const listener of this.#goneListeners) listener();
    });
  }

  header(name: string): string | null {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value.join(', ') : (value ?? null);
  }

  onGone(listener: () => void): void {
    if (this.isGone) listener();
    else this.#goneListeners.push(listener);
  }

  /**
   * By events and not as a web stream: left unread, `Readable.toWeb` would destroy the socket, and the answer with it.
   */
  readBody({ maxBytes, signal }: ReadBodyOptions): Promise<ReadBody> {
    const request = this.#request;
    return new Promise((resolve) => {
      const chunks: Uint8Array[] = [];
      let length = 0;
      const onData = (chunk: Uint8Array) => {
        length += chunk.byteLength;
        if (length > maxBytes) finish({ failed: 'TOO_LARGE' });
        else chunks.push(chunk);
      };
      const onEnd = () => finish({ bytes: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks) });
      const breakOff = (cause?: unknown) => finish({ failed: 'BROKEN_OFF', cause });
      const finish = (read: ReadBody) => {
        request.pause().removeListener('data', onData).removeListener('end', onEnd);
        request.removeListener('error', breakOff).removeListener('close', breakOff);
        signal.removeEventListener('abort', breakOff);
        resolve(read);
      };
      signal.addEventListener('abort', breakOff);
      request.on('error', breakOff).on('close', breakOff).on('end', onEnd).on('data', onData);
    });
  }

  toRequest(): Request {
    return this.#webRequest({});
  }

  /** The same, with the body to read. */
  toWholeRequest(): Request {
    if (this.parsedBody) return attachParsedBody(this.#webRequest({}), this.parsedBody.body);
    const isBodyless = this.method === 'GET' || this.method === 'HEAD';
    return this.#webRequest(isBodyless ? {} : { body: streamOf(this.#request), duplex: 'half' });
  }

  #webRequest(body: { readonly body?: ReadableStream<Uint8Array>; readonly duplex?: 'half' }): Request {
    const gone = new AbortController();
    this.onGone(() => gone.abort());
    const headers = Object.entries(this.#request.headers).flatMap(([name, value = '']): [string, string][] =>
      // HTTP/2 adds the request line as headers whose names begin with a colon.
      name.startsWith(':') ? [] : [value].flat().map((one) => [name, one]),
    );
    return new Request(this.url, { method: this.method, headers, signal: gone.signal, ...body });
  }
}

/** The body as a web stream; nothing is read before it is asked for. */
function streamOf(request: IncomingMessage): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      start(controller) {
        request.on('data', (chunk: Uint8Array) => {
          request.pause();
          controller.enqueue(chunk);
        });
        request.once('end', () => controller.close());
        request.once('error', (error) => controller.error(error));
        request.pause();
      },
      pull: () => void request.resume(),
    },
    { highWaterMark: 0 },
  );
}
