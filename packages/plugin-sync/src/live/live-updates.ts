/** Holds the server's live stream for a client, and asks from time to time where no stream gets through. */
import { retryAfterMs } from '../transport/retry-after.js';
import { EventStreamParser } from './event-stream-parser.js';
import type { LiveClient, LiveStatus, LiveUpdates, StartLive } from './live-port.js';
import { type LiveEvent, type LiveState, liveStatusOf, liveTransition } from './live-state.js';

/**
 * Lets a client learn of others' changes at once: `new SyncPlugin({ clientId, transport, live: liveUpdates() })`. The
 * client then syncs by itself from the beginning, reconnects by itself, and polls where no stream gets through or the
 * transport has none; its status tells which, as `live`.
 */
export function liveUpdates(): StartLive {
  return (client) => new LiveConnection(client);
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

  constructor(client: LiveClient) {
    this.#client = client;
    this.#stopListening = client.platform.onConnectivity((isOnline) => {
      if (isOnline) this.#dispatch({ type: 'woke' });
    });
  }

  get status(): LiveStatus {
    return liveStatusOf(this.#state);
  }

  follow(): void {
    const { at } = this.#client.state();
    const isWanted = this.#client.isPulling && (at === 'idle' || at === 'waiting' || at === 'syncing');
    if (at === 'closed') this.#stopListening();
    this.#dispatch({ type: 'followed', isWanted, hasCheckpoint: this.#client.checkpoint() !== null });
    this.#catchUp();
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
    this.#disarm = platform.setTimer(() => this.#dispatch({ type: 'due' }), state.until - platform.now());
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
      if (!signal.aborted) this.#dispatch(event);
    };
    try {
      const response = await this.#open(signal);
      const problem = response ? this.#problemOf(response) : NO_STREAM;
      if (!response?.body || problem || signal.aborted) {
        await response?.body?.cancel();
        return tell(problem ?? NO_STREAM);
      }
      const parser = new EventStreamParser();
      const decoder = new TextDecoder();
      const reader = response.body.getReader();
      for (let read = await reader.read(); !read.done && !signal.aborted; read = await reader.read()) {
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

  async #open(signal: AbortSignal): Promise<Response | undefined> {
    const { transport } = this.#client;
    return transport.stream?.(this.#client.checkpoint() ?? '', { signal });
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
