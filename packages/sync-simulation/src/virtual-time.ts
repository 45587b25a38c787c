/** Time that moves only from event to event, so that a day of retries costs a millisecond. */
import { endOfTurn } from './platform/turn.js';

interface Due {
  readonly at: number;
  readonly order: number;
  work: (() => void) | undefined;
}

/** 2026-01-01T00:00:00Z: the beginning of every schedule. */
export const BEGINNING = Date.UTC(2026, 0, 1);

/** The one clock and the one queue of events of a schedule. Events at the same time run in the order they were set. */
export class VirtualTime {
  #now = BEGINNING;
  #order = 0;
  readonly #heap: Due[] = [];

  /** Epoch milliseconds of the world; a device's own clock may differ. */
  now(): number {
    return this.#now;
  }

  /** Runs `work` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, work: () => void): () => void {
    const due: Due = { at: this.#now + Math.max(0, delayMs), order: this.#order++, work };
    this.#push(due);
    return () => {
      due.work = undefined;
    };
  }

  /** Resolves after `delayMs`. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve);
    });
  }

  /** Runs the next event that is due by `until` and all that follows from it at once; false when there is none. */
  async step(until: number): Promise<boolean> {
    for (let first = this.#heap[0]; first; first = this.#heap[0]) {
      if (first.work && first.at > until) return false;
      this.#pop();
      if (!first.work) continue;
      this.#now = first.at;
      first.work();
      await endOfTurn();
      return true;
    }
    return false;
  }

  /** Moves on to `time` if nothing is due before. */
  moveTo(time: number): void {
    this.#now = Math.max(this.#now, time);
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let index = heap.push(due) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (!above || isBefore(above, due)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      let below = heap[child];
      const right = heap[child + 1];
      if (below && right && isBefore(right, below)) {
        below = right;
        child += 1;
      }
      if (!below || isBefore(last, below)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.at === b.at ? a.order < b.order : a.at < b.at;
}
