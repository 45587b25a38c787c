/** Holds the server's live stream for a client, and polls when no stream gets through. */
import { retryAfterMs } from '../transport/retry-after.js';
import { EventStreamParser } from './event-stream-parser.js';
import type { LiveClient, LiveStatus, LiveUpdates, StartLive } from './live-port.js';
import { type LiveEvent, type LiveState, liveStatusOf, liveTransition } from './live-state.js';

/** When live updates rest. */
export interface LiveUpdatesOptions {
  /**
   * Whether to go on in a page that nobody has seen for 5 minutes, for apps that notify their users. Default `false`.
   */
  readonly whileHidden?: boolean | undefined;
}

/** 5 min: a user who returns from another tab finds everything current; a tab left open for weeks costs no stream. */
export const MAX_HIDDEN_MS = 5 * 60 * 1000;

/**
 * Lets a client learn of others' changes at once: `new SyncPlugin({ clientId, transport, live: liveUpdates() })`. The
 * client then syncs from the start and reconnects by itself, and polls if no stream gets through or the transport has
 * none; `live` of its status tells which.
 */
export function liveUpdates({ whileHidden = false }: LiveUpdatesOptions = {}): StartLive {
  return (client) => new LiveConnection(client, whileHidden ? Number.POSITIVE_INFINITY : MAX_HIDDEN_MS);
}

/** Carries out what the machine of `live-state.ts` decides: arms its timer, holds its stream, and asks. */
class LiveConnection implements LiveUpdates {
  readonly #client: LiveClient;
  readonly #stopListening: () => void;
  #state: LiveState = { at: 'off' };
  #disarm: () => void = () => {};
  #stream: AbortController | undefined;
  /** The checkpoint of the last poke, until it is compared with the client's own. */
  #poked: string | undefined;
  readonly #maxHiddenMs: number;
  /** When the app was last visible, epoch milliseconds. */
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

  /** An event that comes by itself is also the time to check whether live updates are still wanted. */
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

  /** Each `connecting` opens a stream of its own, `open` keeps it, and no other state holds one. */
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
    // What an earlier stream still says is ignored.
    const tell = (event: LiveEvent) => {
      if (!signal.aborted) this.#happen(event);
    };
    try {
      const { transport, checkpoint } = this.#client;
      const response = await transport.stream?.(checkpoint() ?? '', { signal });
      // A refusal that comes late says nothing of a user who has signed in again.
      const problem = response && !signal.aborted ? this.#problemOf(response) : NO_STREAM;
      if (!response?.body || problem) {
        await response?.body?.cancel();
        return tell(problem ?? NO_STREAM);
      }
      const parser = new EventStreamParser();
      const decoder = new TextDecoder();
      const reader = response.body.getReader();
      // An application's own transport may ignore the signal and keep its connection.
      signal.addEventListener('abort', () => reader.cancel().catch(() => {}));
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        tell({ type: 'heard' });
        for (const { type, data } of parser.push(decoder.decode(read.value, { stream: true }))) {
          if (type === 'poke' && !signal.aborted) this.#poke(data);
        }
      }
    } catch {
      // Treated as its end: nothing more comes.
    }
    tell({ type: 'ended' });
  }

  /** What a response means that is no stream; `undefined` for a stream. */
  #problemOf({ status, ok, headers }: Response): LiveEvent | undefined {
    const waitMs = retryAfterMs(headers, this.#client.platform.now());
    if (status === 401 && this.#isFree()) {
      this.#client.dispatch({ type: 'refused', why: 'unauthenticated' });
      return { type: 'ended' };
    }
    if (status === 401 || status >= 500) return { type: 'ended', retryAfterMs: waitMs };
    // An HTML page, as a server without this route may answer, is no stream either.
    if (ok && headers.get('content-type')?.startsWith('text/event-stream')) return undefined;
    return { type: 'refused', retryAfterMs: waitMs };
  }

  #poke(data: string): void {
    this.#poked = checkpointIn(data);
    this.#catchUp();
  }

  /** Asks for what a poke announced, unless a sync has brought it; that is unknown while a sync is under way. */
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

/** Unreadable data equals no checkpoint: the client then asks. */
function checkpointIn(data: string): string {
  try {
    return String(JSON.parse(data).checkpoint);
  } catch {
    return '';
  }
}
