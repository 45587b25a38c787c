/** The live streams of one process of a device: the product's own requests for them, over the simulated network. */
import { httpTransport, type LiveStatus, type SyncTransport } from '@objectql/plugin-sync';
import type { DevicePlatform } from './device-platform.js';
import { type Gate, never } from './gate.js';
import type { StreamWay } from './plan.js';
import type { StreamNetwork } from './stream-network.js';
import type { BrowserTab } from './tabs/browser-tab.js';
import type { VirtualTime } from './virtual-time.js';

export interface DeviceStreamsParts {
  readonly name: string;
  readonly gate: Gate;
  /** The tab that may hold them, if it is one of a browser. */
  readonly tab: BrowserTab | undefined;
  readonly platform: DevicePlatform;
  readonly time: VirtualTime;
  /** What is in their way. */
  readonly way: StreamWay;
  readonly fetchStream: StreamNetwork['fetch'];
  readonly isOnline: () => boolean;
  /** The token of the session. */
  readonly token: () => string;
}

/** 37.5 s: a stream that is silent for longer is taken for dead. */
const SILENCE_MS = 37_500;
/** A minute: how late the timers of a tab are that nobody sees. */
const SLOW_MS = 60_000;

export class DeviceStreams {
  /** What a client's transport needs for them. */
  readonly open: NonNullable<SyncTransport['stream']>;
  readonly #parts: DeviceStreamsParts;
  /** The last one was opened with this. */
  #signal: AbortSignal | undefined;
  #heardAt = 0;

  constructor(parts: DeviceStreamsParts) {
    const { gate, platform, token } = parts;
    this.#parts = parts;
    const http = httpTransport({
      url: 'https://server.test/api/sync',
      token,
      platform,
      fetch: (url, { headers, signal } = {}) => this.#fetch({ url: `${url}`, headers: new Headers(headers), signal }),
    });
    this.open = (checkpoint, options) => (gate.isDead || !http.stream ? never() : http.stream(checkpoint, options));
  }

  /** How the client's live updates are not what they say, if so. */
  findFalse(live: LiveStatus): string | undefined {
    const { name, time, tab } = this.#parts;
    if (tab?.isBehind) return undefined;
    const isHeld = this.#signal?.aborted === false;
    // What a tab shows that does not lead is the leader's.
    if (tab && !tab.isHolding) return isHeld ? `${name} holds a stream, and does not lead.` : undefined;
    const silentMs = time.now() - this.#heardAt;
    if (live === 'open' && silentMs > SILENCE_MS + (tab ? SLOW_MS : 0))
      return `${name} has heard nothing for ${silentMs} ms.`;
    return live === 'off' && isHeld ? `${name} holds a stream, and live updates are off.` : undefined;
  }

  #fetch({ url, headers, signal }: Asking): Promise<Response> {
    const { name, gate, tab, way, fetchStream, isOnline } = this.#parts;
    if (!signal) throw new Error('Without a signal, a stream could not be left.');
    this.#signal = signal;
    const heard = () => {
      this.#heardAt = this.#parts.time.now();
    };
    const whenRunning = (work: () => void) => (tab ? tab.whenRunning(work) : work());
    const asked = fetchStream({ url, headers, signal }, { name, gate, way, isOnline, heard, whenRunning });
    return asked.finally(() => tab?.whileStill());
  }
}

interface Asking {
  readonly url: string;
  readonly headers: Headers;
  readonly signal?: AbortSignal | null | undefined;
}
