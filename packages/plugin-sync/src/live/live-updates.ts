/** Holds the server's live stream for a client, and asks from time to time where no stream gets through. */
import { retryAfterMs } from '../transport/retry-after.js';
import { EventStreamParser } from './event-stream-parser.js';
import type { LiveClient, LiveStatus, LiveUpdates, StartLive } from './live-port.js';
import { type LiveEvent, type LiveState, liveStatusOf, liveTransition } from './live-state.js';

/** When live updates rest. */
export interface LiveUpdatesOptions {
  /** Whether to go on in a page that nobody has seen for 5 minutes, for apps that call their users back. Default `false`. */
  readonly whileHidden?: boolean | undefined;
}

/** 5 min: who looks at another tab for a while finds everything in place; a tab left open for weeks costs nobody a stream. */
export const MAX_HIDDEN_MS = 5 * 60 * 1000;

/**
 * Lets a client learn of others' changes at once: `new SyncPlugin({ clientId, transport, live: liveUpdates() })`. The
 * client then syncs by itself from the beginning, reconnects by itself, and polls where no stream gets through or the
 * transport has none; its status tells which, as `live`.
 */
export function liveUpdates({ whileHidden = false }: LiveUpdatesOptions = {}): StartLive {
  return (client) => new LiveConnection(client, whileHidden ? Number.POSITIVE_INFINITY : MAX_HIDDEN_MS);
}

/** Carries out what the machine of `live-state.ts` decides: its timer, its stream, and its questions. */
class LiveConnection implements LiveUpdates {
  readonly #client: LiveClient;
  readonly #stopListening: () => void;
  #state: LiveState = { at: 'off' };
  #disarm: () => void = () => {};
  #stream: AbortController | undefined;
  /** The checkpoint of the last poke, until it is compared with the client's own. */
  #poked: string | undefined;
  readonly #maxHiddenMs: number;
  /** When somebody could last see the app, epoch milliseconds. */
  #seenAt: number;

  constructor(client: LiveClient, maxHiddenMs: number) {
    this.#client = client;
    this.#maxHiddenMs = maxHiddenMs;
    this.#seenAt = client.platform.now();
    this.#stopListening = client.platform.onConnectivity((isOnline) => isOnline && this.#happen({ type: 'woke' }));
  }

  get status(): LiveStatus {
    return liveStatusOf(this.#state);
  }

  follow(): void {
    const { platform, isPulling } = this.#client;
    const { at } = this.#client.state();
    if (platform.isSeen?.() !== false) this.#seenAt = platform.now();
    const isSeen = platform.now() - this.#seenAt < this.#maxHiddenMs;
    const isWanted = isPulling && isSeen && (at === 'idle' || at === 'waiting' || at === 'syncing');
    if (at === 'closed') this.#stopListening();
    this.#dispatch({ type: 'followed', isWanted, hasCheckpoint: this.#client.checkpoint() !== null });
    this.#catchUp();
  }

  /** What comes by itself is also the time to see whether live updates are still wanted. */
  #happen(event: LiveEvent): void {
    this.follow();
    this.#dispatch(event);
  }

  #dispatch(event: LiveEvent): void {
    const { platform, onChanged } = this.#client;
    const before = this.#state;
    const { state, polls } = liveTransition(before, event, { now: platform.now(), jitter: platform.random() });
    this.#state = state;
    if (state !== before) {
      this.#arm(state);
      this.#carry(state);
      if (liveStatusOf(state) !== liveStatusOf(before)) onChanged();
    }
    if (polls) this.#ask();
  }

  #arm(state: LiveState): void {
    this.#disarm();
    if (!('until' in state) || state.until === null) return;
    const { platform } = this.#client;
    this.#disarm = platform.setTimer(() => this.#happen({ type: 'due' }), state.until - platform.now());
  }

  /** Every `connecting` is a stream of its own, `open` is the same one going on, and nothing else holds any. */
  #carry(state: LiveState): void {
    if (state.at === 'open') return;
    this.#stream?.abort();
    this.#stream = undefined;
    this.#poked = undefined;
    if (state.at !== 'connecting') return;
    this.#stream = new AbortController();
    void this.#read(this.#stream.signal);
  }

  async #read(signal: AbortSignal): Promise<void> {
    // What a stream of before still says is of no interest.
    const tell = (event: LiveEvent) => {
      if (!signal.aborted) this.#happen(event);
    };
    try {
      const { transport, checkpoint } = this.#client;
      const response = await transport.stream?.(checkpoint() ?? '', { signal });
      const problem = response ? this.#problemOf(response) : NO_STREAM;
      if (!response?.body || problem || signal.aborted) {
        await response?.body?.cancel();
        return tell(problem ?? NO_STREAM);
      }
      const parser = new EventStreamParser();
      const decoder = new TextDecoder();
      const reader = response.body.getReader();
      // A transport of the application's may not know the signal, and would keep its connection.
      signal.addEventListener('abort', () => reader.cancel().catch(() => {}));
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        tell({ type: 'heard' });
        for (const { type, data } of parser.push(decoder.decode(read.value, { stream: true }))) {
          if (type === 'poke' && !signal.aborted) this.#poke(data);
        }
      }
    } catch {
      // The same as its end: what counts is that nothing more comes.
    }
    tell({ type: 'ended' });
  }

  /** What a response that is no stream means; nothing for one that is. */
  #problemOf({ status, ok, headers }: Response): LiveEvent | undefined {
    const waitMs = retryAfterMs(headers, this.#client.platform.now());
    if (status === 401 && this.#isFree()) {
      this.#client.dispatch({ type: 'refused', why: 'unauthenticated' });
      return { type: 'ended' };
    }
    if (status === 401 || status >= 500) return { type: 'ended', retryAfterMs: waitMs };
    // A page for people, as a server without this route may answer, is no stream either.
    if (ok && headers.get('content-type')?.startsWith('text/event-stream')) return undefined;
    return { type: 'refused', retryAfterMs: waitMs };
  }

  #poke(data: string): void {
    this.#poked = checkpointIn(data);
    this.#catchUp();
  }

  /** Asks for what a poke told of, unless a sync under way has brought it; while one is under way, that is not known yet. */
  #catchUp(): void {
    const poked = this.#poked;
    if (poked === undefined || !this.#isFree()) return;
    this.#poked = undefined;
    if (poked !== this.#client.checkpoint()) this.#ask();
  }

  #ask(): void {
    if (this.#isFree()) this.#client.dispatch({ type: 'requested' });
  }

  /** Whether a sync may begin now: none is under way, and the server has not asked to be left alone. */
  #isFree(): boolean {
    const state = this.#client.state();
    return state.at === 'idle' || (state.at === 'waiting' && state.failures === 0);
  }
}

const NO_STREAM: LiveEvent = { type: 'refused' };

/** Data that is not understood is equal to no checkpoint: the client asks. */
function checkpointIn(data: string): string {
  try {
    return String(JSON.parse(data).checkpoint);
  } catch {
    return '';
  }
}
