/** One live stream on its way through the network, from the server's end to the client's. */
import type { Gate } from './gate.js';
import type { LivePlan, StreamWay } from './plan.js';
import type { Random } from './random.js';
import type { VirtualTime } from './virtual-time.js';

export interface StreamLinkParts {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly way: StreamWay;
  /** Nothing arrives before: so long is the beginning of the response on its way. */
  readonly lateMs: number;
  /** The probabilities of faults, read at every word; none once the faults are over. */
  readonly faults: () => LivePlan | undefined;
  /** How long the next word is on its way. */
  readonly delay: () => number;
  /** Whether the device can be reached. */
  readonly isOnline: () => boolean;
  readonly client: Gate;
  readonly server: Gate;
  /** Called when the client hears something. */
  readonly onHeard: () => void;
  /** Lets the client hear something as soon as it can. */
  readonly whenRunning: (work: () => void) => void;
  /** Called when the server hears that the client has gone. */
  readonly onGone: () => void;
}

/** 30%: how often nobody tells the other side that a process has died, as when its machine has. */
const UNTOLD = 0.3;

export class StreamLink {
  /** The client's end. */
  readonly body: ReadableStream<Uint8Array>;
  readonly #parts: StreamLinkParts;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** True when the client has left it, or heard of its end. */
  #isLeft = false;
  /** True when nothing passes any more and neither side knows. */
  #isSilent = false;
  /** True when the server has ended it. */
  #isOver = false;
  /** What a proxy holds back. */
  #held: readonly Uint8Array[] = [];
  /** When the last word arrives: words do not overtake each other. */
  #arrivesAt: number;

  constructor(parts: StreamLinkParts) {
    const { time, lateMs, client, server } = parts;
    this.#parts = parts;
    this.#arrivesAt = time.now() + lateMs;
    this.body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => this.leave(),
    });
    client.death.catch(() => this.#died(() => this.leave()));
    server.death.catch(() => this.#died(() => this.#break()));
  }

  /** Whether the server still serves it. */
  get isServed(): boolean {
    return !this.#isOver && !this.#parts.server.isDead;
  }

  /** Whether the server serves it, and would hear of its client's end. */
  get isWhole(): boolean {
    return this.isServed && !this.#isSilent;
  }

  /** Passes on what the server says, until the server ends the stream. */
  async carry(from: ReadableStream<Uint8Array>, onSaid: (text: string) => void): Promise<void> {
    const reader = from.getReader();
    const decoder = new TextDecoder();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      onSaid(decoder.decode(read.value));
      this.#pass(read.value);
    }
    this.#isOver = true;
    for (const word of this.#held) this.#deliver(word);
    this.#arrive(() => {
      this.#isLeft = true;
      this.#controller?.close();
    });
  }

  /** The client wants no more of it. */
  leave(): void {
    if (this.#isLeft) return;
    this.#isLeft = true;
    this.#tellServer();
  }

  #pass(word: Uint8Array): void {
    const { way, random, faults } = this.#parts;
    const lot = faults();
    if (lot && random.chance(lot.silence)) this.#isSilent = true;
    if (way === 'holds') this.#held = [...this.#held, word];
    else this.#deliver(word);
    if (way === 'ends' || (lot && random.chance(lot.cut))) this.#break();
  }

  #deliver(word: Uint8Array): void {
    this.#arrive(() => {
      this.#parts.onHeard();
      this.#controller?.enqueue(word);
    });
  }

  /** Breaks the connection: both sides hear of it. */
  #break(): void {
    this.#arrive(() => {
      this.#isLeft = true;
      this.#controller?.error(new TypeError('The connection is broken.'));
    });
    this.#tellServer();
  }

  #died(tell: () => void): void {
    const { random, faults } = this.#parts;
    if (faults() && random.chance(UNTOLD)) this.#isSilent = true;
    tell();
  }

  #arrive(work: () => void): void {
    const { time, delay, isOnline, client, whenRunning } = this.#parts;
    this.#arrivesAt = Math.max(this.#arrivesAt, time.now() + delay());
    time.after(this.#arrivesAt - time.now(), () => {
      // A connection does not outlive the network of its device.
      if (!isOnline()) this.#isSilent = true;
      whenRunning(() => {
        if (!this.#isSilent && !this.#isLeft && !client.isDead) work();
      });
    });
  }

  #tellServer(): void {
    const { time, delay, isOnline, onGone } = this.#parts;
    if (!isOnline()) this.#isSilent = true;
    if (!this.#isSilent) time.after(delay(), onGone);
  }
}
