/** The live streams of all devices: requests for them go through a network that loses and delays them. */
import { type Gate, never } from './gate.js';
import { delay } from './network.js';
import type { Faults, LivePlan, StreamWay } from './plan.js';
import { Random } from './random.js';
import { StreamLink } from './stream-link.js';
import type { OpenStream, StreamWatch } from './stream-watch.js';
import type { VirtualTime } from './virtual-time.js';

/** A server process's answer to a request for a stream. */
export interface Served {
  readonly response: Response;
  readonly gate: Gate;
}

/** What a client asks for. */
export interface StreamRequest {
  readonly url: string;
  readonly headers: Headers;
  readonly signal: AbortSignal;
}

/** Who asks for a stream: one process of a device. */
export interface StreamClient {
  readonly name: string;
  readonly gate: Gate;
  readonly way: StreamWay;
  isOnline(): boolean;
  /** Called when something comes through its stream. */
  heard(): void;
  /** Lets it hear something as soon as it can. */
  whenRunning(work: () => void): void;
}

export interface StreamNetworkParts {
  readonly seed: number;
  readonly time: VirtualTime;
  readonly faults: () => Faults | undefined;
  readonly streamFaults: () => LivePlan | undefined;
  /** Asks the server; rejects when it is down, or dies meanwhile. */
  readonly serve: (request: Request) => Promise<Served>;
  readonly watch: StreamWatch;
  /** True if a stream goes on that its client has left. */
  readonly isKept: boolean;
  readonly log: (line: () => string) => void;
}

export class StreamNetwork {
  readonly #parts: StreamNetworkParts;
  #open: readonly (OpenStream & { readonly client: StreamClient; readonly link: StreamLink })[] = [];
  #requests = 0;

  constructor(parts: StreamNetworkParts) {
    this.#parts = parts;
  }

  /** How many streams the server serves. */
  get served(): number {
    return this.#open.filter(({ link }) => link.isServed).length;
  }

  /** How many of them it serves to a device that could tell it to stop. */
  servedTo(name: string): number {
    return this.#open.filter(({ client, link }) => client.name === name && link.isWhole).length;
  }

  /** What `fetch` does with a request for a stream. */
  async fetch(request: StreamRequest, client: StreamClient): Promise<Response> {
    const { seed, time, faults, log, watch } = this.#parts;
    const number = ++this.#requests;
    const random = new Random(seed, 'stream', number);
    const isLost = random.chance(faults()?.loseRequest ?? 0);
    watch.asked(client);
    log(() => `${client.name}: asks for stream ${number}${isLost ? ', is lost' : ''}`);
    if (!client.isOnline() || (isLost && random.chance(0.5))) throw unreachable();
    if (isLost) return never();
    await time.sleep(delay(random, faults()));
    const lateMs = delay(random, faults());
    const response = await this.#serve(request, client, { random, lateMs });
    log(() => `${client.name}: stream ${number} is answered ${response.status}`);
    await time.sleep(lateMs);
    return response;
  }

  /** The response whose body is the stream's end at the client, where it arrives after `lateMs`. */
  async #serve(
    { url, headers, signal }: StreamRequest,
    client: StreamClient,
    { random, lateMs }: Way,
  ): Promise<Response> {
    const { time, faults, streamFaults, serve, watch, isKept } = this.#parts;
    const gone = new AbortController();
    const request = new Request(url, { headers, signal: gone.signal });
    const { response, gate } = await serve(request).catch(() => {
      throw unreachable();
    });
    if (!response.ok || !response.body) return response;
    const link = new StreamLink({
      time,
      random,
      way: client.way,
      lateMs,
      faults: streamFaults,
      delay: () => delay(random, faults()),
      isOnline: () => client.isOnline(),
      client: client.gate,
      server: gate,
      onHeard: () => client.heard(),
      whenRunning: (work) => client.whenRunning(work),
      onGone: () => {
        if (!isKept) gone.abort();
      },
    });
    const stream = { client, link, gate, request, openedAt: time.now() };
    this.#open = [...this.#open.filter((other) => other.link.isServed), stream];
    watch.opened(this.#open, stream);
    void link.carry(response.body, (text) => watch.said(text, stream));
    signal.addEventListener('abort', () => link.leave());
    if (signal.aborted) link.leave();
    return new Response(link.body, response);
  }
}

interface Way {
  readonly random: Random;
  readonly lateMs: number;
}

function unreachable(): TypeError {
  return new TypeError('fetch failed');
}
