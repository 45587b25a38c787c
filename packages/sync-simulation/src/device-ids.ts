/** The ids that a device gives out, and when it made them: what they stand for may be durable long after. */

/** A moment by the world's clock, and how far the device's was ahead. */
export interface Moment {
  readonly at: number;
  readonly aheadMs: number;
}

export class DeviceIds {
  readonly #bornById = new Map<string, Moment>();
  #count = 0;
  #reused: string | undefined;

  /** Another one, or the one that is to be used twice. */
  next(prefix: string, now: Moment): string {
    if (this.#reused !== undefined) return this.#reused;
    const id = `${prefix}-${String(++this.#count).padStart(6, '0')}`;
    this.#bornById.set(id, now);
    return id;
  }

  bornAt(id: string): Moment | undefined {
    return this.#bornById.get(id);
  }

  /** Runs `make`, which makes something at once, with an id that is in use already. */
  reuse(id: string, make: () => void): void {
    this.#reused = id;
    try {
      make();
    } finally {
      this.#reused = undefined;
    }
  }
}
