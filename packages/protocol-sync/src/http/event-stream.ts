/** The live stream as server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html */
import { STREAM_HEARTBEAT_MS, type SyncPoke } from '@objectql/sync-types';
import type { FeedWatcher } from '../feed/feed-watch.js';
import type { Platform } from '../platform/platform.js';
import type { HttpAnswer } from './http-call.js';

/**
 * 15 min: callers are authenticated when a stream begins, so by then a session that has ended is noticed; and a
 * connection whose other end has silently gone takes no more memory.
 */
const MAX_STREAM_MS = 15 * 60 * 1000;

export interface EventStreamOptions {
  /** Begins to watch; the returned function stops it. */
  readonly watch: (watcher: Omit<FeedWatcher, 'scope'>) => Promise<() => void>;
  /** Called once when the stream is over, for whatever reason. */
  readonly onClosed: () => void;
  /** Aborted when the caller is gone. */
  readonly signal: AbortSignal;
  readonly platform: Pick<Platform, 'setTimer'>;
}

/** Resolves with the stream's answer once it is watching. Rejects, after `onClosed`, when watching cannot begin. */
export async function openEventStream(options: EventStreamOptions): Promise<HttpAnswer> {
  const stream = new EventStream(options);
  await stream.begin();
  return { status: 200, headers: HEADERS, body: stream.body };
}

const HEADERS = {
  'content-type': 'text/event-stream',
  // `no-transform` keeps compressing middleware from holding events back (it is what `compression` and Hono's look for).
  'cache-control': 'no-store, no-transform',
  // nginx buffers answers unless it is told not to: https://nginx.org/en/docs/http/ngx_http_proxy_module.html
  'x-accel-buffering': 'no',
} as const;

/** A comment: a sign of life that is no event. */
const HEARTBEAT = ':\n\n';

class EventStream {
  readonly body: ReadableStream<Uint8Array>;
  readonly #options: EventStreamOptions;
  readonly #encoder = new TextEncoder();
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #stopWatching: () => void = () => {};
  #cancelHeartbeat: () => void = () => {};
  #cancelEnd: () => void = () => {};
  /** The newest poke that a slow reader has not taken yet; it makes older ones superfluous. */
  #unsent: string | undefined;
  #isOver = false;

  constructor(options: EventStreamOptions) {
    this.#options = options;
    this.body = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#flush(),
      cancel: () => this.#end(),
    });
  }

  async begin(): Promise<void> {
    const { watch, signal, platform } = this.#options;
    this.#cancelEnd = platform.setTimer(this.#close, MAX_STREAM_MS);
    signal.addEventListener('abort', this.#close);
    if (signal.aborted) this.#close();
    try {
      const stop = await watch({ onPoke: (checkpoint) => this.#poke({ checkpoint }), onEnd: this.#close });
      // If the stream ended meanwhile, there was nothing to stop yet.
      if (this.#isOver) stop();
      else this.#stopWatching = stop;
    } catch (error) {
      this.#end();
      throw error;
    }
    if (!this.#isOver) this.#armHeartbeat();
  }

  #poke(poke: SyncPoke): void {
    this.#unsent = `event: poke\ndata: ${JSON.stringify(poke)}\n\n`;
    this.#flush();
  }

  #flush(): void {
    const text = this.#unsent;
    if (text === undefined || !this.#hasRoom()) return;
    // First, because `enqueue` asks for more before it returns.
    this.#unsent = undefined;
    this.#send(text);
  }

  /** False while the reader has not taken the last event, and once the stream is over. */
  #hasRoom(): boolean {
    return (this.#controller?.desiredSize ?? 0) > 0;
  }

  #send(text: string): void {
    this.#controller?.enqueue(this.#encoder.encode(text));
  }

  #armHeartbeat(): void {
    this.#cancelHeartbeat = this.#options.platform.setTimer(() => {
      if (this.#hasRoom()) this.#send(HEARTBEAT);
      this.#armHeartbeat();
    }, STREAM_HEARTBEAT_MS);
  }

  readonly #close = (): void => {
    if (this.#isOver) return;
    this.#end();
    this.#controller?.close();
  };

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelHeartbeat();
    this.#cancelEnd();
    this.#stopWatching();
    this.#options.onClosed();
  }
}
