/** A server's platform whose time a test controls. */
import type { Platform } from './platform.js';

/** Its timers run when `advance` moves the clock to their time. */
export class TestClock implements Platform {
  #now = Date.UTC(2026, 0, 1);
  #ids = 0;
  readonly #timers = new Set<{ readonly at: number; readonly work: () => void }>();

  now(): number {
    return this.#now;
  }

  randomId(): string {
    this.#ids += 1;
    return `id-${this.#ids}`;
  }

  setTimer(work: () => void, delayMs: number): () => void {
    const timer = { at: this.#now + delayMs, work };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** How many timers are set. */
  get armed(): number {
    return this.#timers.size;
  }

  /** Moves on and runs each timer that is due at its time; what timers wait for in memory has settled afterwards. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await turn();
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.work();
      await turn();
    }
    this.#now = end;
  }
}

/** A turn of the event loop: afterwards every promise chain that waits for nothing outside has ended. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
