/** A device for tests: its clock moves only when told to, and the same seed gives the same ids and the same jitter. */
import type { Platform } from './platform.js';

/** The start of a test's clock and randomness. */
export interface TestPlatformOptions {
  /** Epoch milliseconds the clock starts at. Default 2026-01-01T00:00:00Z. */
  readonly now?: number;
  /** Two platforms that make ids in one test need different seeds. Default 1. */
  readonly seed?: number;
}

/**
 * A platform whose time, randomness and network the test holds in its hands.
 *
 * ```text
 * const platform = new TestPlatform();
 * platform.setTimer(() => send(), 2000);
 * await platform.advance(2000); // `send` has run, and what it awaited in memory has settled
 * ```
 */
export class TestPlatform implements Platform {
  #now: number;
  #state: number;
  #online = true;
  #seen = true;
  #timers: readonly Timer[] = [];
  readonly #seed: number;
  readonly #listeners = new Set<(online: boolean) => void>();
  #ids = 0;

  constructor(options: TestPlatformOptions = {}) {
    this.#now = options.now ?? Date.UTC(2026, 0, 1);
    this.#seed = options.seed ?? 1;
    this.#state = this.#seed;
  }

  now(): number {
    return this.#now;
  }

  /** Mulberry32: small, and good enough for jitter. */
  random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A well-formed UUIDv7 of the test's time, e.g. `019b7769-1c00-7000-8001-000000000001`. */
  newId(): string {
    const time = this.#now.toString(16).padStart(12, '0');
    const count = (++this.#ids).toString(16).padStart(12, '0');
    const seed = (this.#seed & 0xfff).toString(16).padStart(3, '0');
    return `${time.slice(0, 8)}-${time.slice(8)}-7000-8${seed}-${count}`;
  }

  setTimer(work: () => void, delayMs: number): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, delayMs), work };
    this.#timers = [...this.#timers, timer];
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  isOnline(): boolean {
    return this.#online;
  }

  onConnectivity(listener: (online: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Moves the clock on and runs the timers due by then, each at its own time, including those set meanwhile. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (let timer = this.#nextBy(end); timer; timer = this.#nextBy(end)) {
      this.#timers = this.#timers.filter((other) => other !== timer);
      this.#now = Math.max(this.#now, timer.at);
      timer.work();
      await settled();
    }
    this.#now = end;
  }

  /** Sets the clock without running timers, as when the user or the network corrects it. */
  setClock(now: number): void {
    const shift = now - this.#now;
    this.#now = now;
    this.#timers = this.#timers.map((timer) => Object.assign(timer, { at: timer.at + shift }));
  }

  /** Sleeps: the clock goes on and no timer runs. Timers that fell due run with the next `advance`. */
  sleep(ms: number): void {
    this.#now += ms;
  }

  isSeen(): boolean {
    return this.#seen;
  }

  /** Nobody looks at the device any more. */
  hide(): void {
    this.#seen = false;
  }

  /** Somebody looks at the device again. */
  wake(): void {
    this.#seen = true;
    this.setOnline(this.#online);
  }

  /** Gains or loses the network, and tells the listeners. */
  setOnline(online: boolean): void {
    this.#online = online;
    for (const listener of [...this.#listeners]) listener(online);
  }

  /** Milliseconds until each timer that is set, the next one first. */
  get pendingTimersMs(): readonly number[] {
    return this.#timers.map((timer) => timer.at - this.#now).sort((a, b) => a - b);
  }

  #nextBy(end: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer;
    }
    return next;
  }
}

interface Timer {
  at: number;
  readonly work: () => void;
}

/** A turn of the event loop: every promise chain that waits for nothing outside has run to its end. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
