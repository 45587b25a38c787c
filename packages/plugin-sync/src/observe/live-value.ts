/** A value that changes, for whatever shows it. Knows no framework; fits React's `useSyncExternalStore` as it is. */

/** Where a live value comes from. */
export interface LiveValueSource<Value> {
  /** Shown before anything is known, and on a server. */
  readonly initial: Value;
  /** Tells every value from now on; returns what stops it. The promise of `tell` rejects when a listener fails. */
  readonly watch: (tell: (value: Value) => Promise<void>) => () => void;
  /** The value now, if it is known without waiting. */
  readonly read?: () => Value;
  /** `after`, reusing what is still true of `before`; `before` itself when nothing changed. */
  readonly keep: (before: Value, after: Value) => Value;
}

/**
 * Watches its source only while somebody subscribes. While nothing changes, `getSnapshot` returns the same object, so
 * `===` tells whether there is anything to show. Its functions may be passed on without the object.
 */
export class LiveValue<Value> {
  readonly #source: LiveValueSource<Value>;
  readonly #listeners = new Set<() => void>();
  #value: Value;
  #stop: (() => void) | undefined;

  constructor(source: LiveValueSource<Value>) {
    this.#source = source;
    this.#value = source.initial;
  }

  /** Calls `listener` after each change, without a value: ask `getSnapshot` for it. Returns what stops it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    // A function of its own, so that one listener subscribed twice is two subscriptions.
    const own = () => listener();
    this.#listeners.add(own);
    this.#stop ??= this.#source.watch((value) => this.#set(value));
    return () => {
      if (!this.#listeners.delete(own) || this.#listeners.size > 0) return;
      this.#stop?.();
      this.#stop = undefined;
    };
  };

  /** The value now; if it must be read first, the last one seen, or the initial one. */
  readonly getSnapshot = (): Value => {
    const { read, keep } = this.#source;
    if (!this.#stop && read) this.#value = keep(this.#value, read());
    return this.#value;
  };

  /** What to render on a server, and again while the browser takes that page over. Never changes. */
  readonly getServerSnapshot = (): Value => this.#source.initial;

  async #set(value: Value): Promise<void> {
    const kept = this.#source.keep(this.#value, value);
    if (kept === this.#value) return;
    this.#value = kept;
    // Each by itself, unless an earlier one has stopped it.
    await Promise.all([...this.#listeners].map(async (listener) => this.#listeners.has(listener) && listener()));
  }
}
