/** A server of a few lines that streams what a test says, and answers every push with its newest checkpoint. */
import type { SyncPushRequest, SyncPushResponse } from '@objectql/sync-types';
import type { SyncTransport } from '../transport/transport.js';

/** The answer to a request for a stream. */
export type StreamAnswer = (server: LiveServer) => Response | Promise<Response>;

export class LiveServer implements SyncTransport {
  /** Every request so far: `push`, and `stream` with the checkpoint it was opened with. */
  readonly requests: string[] = [];
  /** The feed's newest place. */
  place = 1;
  /** The answers to the next streams; the last one repeats. */
  streams: StreamAnswer[] = [opens];
  /** A push is answered after this. */
  answering: Promise<void> = Promise.resolve();
  /** Fails every push while it is set. */
  failure: Error | undefined;
  /** Whether the client still reads its stream. */
  isRead = false;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  async push(request: SyncPushRequest): Promise<SyncPushResponse> {
    this.requests.push('push');
    if (this.failure) throw this.failure;
    const checkpoint = `place-${this.place}`;
    await this.answering;
    const results = request.mutations.map(({ id }) => ({
      mutationId: id,
      status: 'applied' as const,
      serverVersion: 1,
    }));
    return { protocol: 2, results, serverChanges: [], checkpoint };
  }

  async stream(checkpoint: string, { signal }: { readonly signal: AbortSignal }): Promise<Response> {
    this.requests.push(`stream ${checkpoint}`);
    signal.addEventListener('abort', () => this.#leave());
    const answer = this.streams.length > 1 ? this.streams.shift() : this.streams[0];
    if (!answer) throw new Error('There is no stream in this test.');
    return answer(this);
  }

  /** A body that is written by `write`. */
  body(): ReadableStream<Uint8Array> {
    this.isRead = true;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => {
        this.isRead = false;
      },
    });
  }

  write(text: string): void {
    this.#controller?.enqueue(new TextEncoder().encode(text));
  }

  beat(): void {
    this.write(':\n\n');
  }

  /** Tells of the newest place, or of another text. */
  poke(data: string = JSON.stringify({ checkpoint: `place-${this.place}` })): void {
    this.write(`event: poke\ndata: ${data}\n\n`);
  }

  end(): void {
    this.isRead = false;
    this.#controller?.close();
  }

  #leave(): void {
    if (!this.isRead) return;
    this.isRead = false;
    this.#controller?.error(new Error('The client has ended its request.'));
  }
}

/** Opens a stream and pokes at once, as a server does. */
export const opens: StreamAnswer = (server) => {
  const response = silent(server);
  server.poke();
  return response;
};

/** Opens a stream and says nothing, as behind a proxy that holds answers back. */
export const silent: StreamAnswer = (server) =>
  new Response(server.body(), { headers: { 'content-type': 'text/event-stream' } });

/** Answers with a status, and headers. */
export function answers(status: number, headers: Readonly<Record<string, string>> = {}): StreamAnswer {
  return () => new Response('{}', { status, headers });
}

/** No answer arrives. */
export const unreachable: StreamAnswer = () => Promise.reject(new TypeError('fetch failed'));
