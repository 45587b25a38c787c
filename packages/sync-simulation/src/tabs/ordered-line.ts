/** A way on which nothing overtakes what was sent before it. */
import type { VirtualTime } from '../virtual-time.js';

export class OrderedLine {
  readonly #time: VirtualTime;
  #arrivesAt = 0;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  /** Does `work` after `delayMs`, or as soon as all that was sent before has arrived. */
  send(delayMs: number, work: () => void): void {
    const now = this.#time.now();
    this.#arrivesAt = Math.max(this.#arrivesAt, now + delayMs);
    this.#time.after(this.#arrivesAt - now, work);
  }
}
