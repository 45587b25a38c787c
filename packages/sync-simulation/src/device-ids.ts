/** The ids that a device gives out, and when it made them: their mutations may become durable long after. */

/** A moment by the world's clock, and how far the device's clock was ahead. */
export interface Moment {
  readonly at: number;
  readonly aheadMs: number;
}

export class DeviceIds {
  readonly #bornById = new Map<string, Moment>();
  #count = 0;
  #reused: string | undefined;

  /** A new id, or the one that is to be used twice. */
  next(prefix: string, now: Moment): string {
    if (this.#reused !== undefined) return this.#reused;
    const id = `${prefix}-${String(++this.#count).padStart(6, '0')}`;
    this.#bornById.set(id, now);
    return id;
  }

  bornAt(id: string): Moment | undefined {
    return this.#bornById.get(id);
  }

  /** Runs `make`, which must use an id at once, with one that is in use already. */
  reuse(id: string, make: () => void): void {
    this.#reused = id;
    try {
      make();
    } finally {
      this.#reused = undefined;
    }
  }
}
