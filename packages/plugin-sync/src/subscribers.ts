/** Those who want to know a value now and whenever it changes. */

/** Calls each subscriber by itself: one that throws is reported, and stops neither the others nor what they hear of. */
export class Subscribers<Value> {
  readonly #listeners = new Set<(value: Value) => unknown>();
  readonly #onFailed: (error: unknown) => void;

  constructor(onFailed: (error: unknown) => void) {
    this.#onFailed = onFailed;
  }

  get size(): number {
    return this.#listeners.size;
  }

  /** Calls `listener` with the present value, and with every later one. Returns what stops it. */
  add(listener: (value: Value) => unknown, present: Value): () => void {
    // A function of its own, so that one listener subscribed twice is two subscriptions.
    const own = (value: Value) => listener(value);
    this.#listeners.add(own);
    this.#call(own, present);
    return () => {
      this.#listeners.delete(own);
    };
  }

  tell(value: Value): void {
    for (const listener of [...this.#listeners]) this.#call(listener, value);
  }

  #call(listener: (value: Value) => unknown, value: Value): void {
    callContained(() => listener(value), this.#onFailed);
  }
}

/** Calls what may throw or, being asynchronous, reject later; either is reported and stays contained. */
export function callContained(call: () => unknown, onFailed: (error: unknown) => void): void {
  try {
    const returned = call();
    if (returned instanceof Promise) returned.catch(onFailed);
  } catch (error) {
    onFailed(error);
  }
}
