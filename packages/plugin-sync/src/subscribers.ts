/** Those who want to know a value now and whenever it changes. */
import { jsonEquals } from '@objectql/sync-types';

/** Calls each subscriber by itself: one that throws is reported, and stops neither the others nor what they hear of. */
export class Subscribers<Value> {
  readonly #listeners = new Set<(value: Value) => unknown>();
  readonly #onFailed: (error: unknown) => void;
  #due: { readonly value: Value } | undefined;
  #isTelling = false;

  constructor(onFailed: (error: unknown) => void) {
    this.#onFailed = onFailed;
  }

  get size(): number {
    return this.#listeners.size;
  }

  /** Calls `listener` with the present value, and with every later one that is not the same JSON. Returns what stops it. */
  add(listener: (value: Value) => unknown, present: Value): () => void {
    let told: Value | undefined;
    // A function of its own, so that one listener subscribed twice is two subscriptions.
    const own = (value: Value) => {
      if (jsonEquals(told, value)) return undefined;
      told = value;
      return listener(value);
    };
    this.#listeners.add(own);
    this.#call(own, present);
    return () => {
      this.#listeners.delete(own);
    };
  }

  /** A value that a listener causes is told when all have heard the one before: nobody hears an older one last. */
  tell(value: Value): void {
    this.#due = { value };
    if (this.#isTelling) return;
    this.#isTelling = true;
    while (this.#due) {
      const { value: next }: { readonly value: Value } = this.#due;
      this.#due = undefined;
      // One that was called before may have stopped another.
      for (const listener of [...this.#listeners]) if (this.#listeners.has(listener)) this.#call(listener, next);
    }
    this.#isTelling = false;
  }

  #call(listener: (value: Value) => unknown, value: Value): void {
    callContained(() => listener(value), this.#onFailed);
  }
}

/** Calls what may throw or, being asynchronous, reject later; either is reported and stays contained. */
export function callContained(call: () => unknown, onFailed: (error: unknown) => void): void {
  try {
    const returned = call();
    if (isThenable(returned)) Promise.resolve(returned).catch(onFailed);
  } catch (error) {
    onFailed(error);
  }
}

/** True for what can be awaited, whichever library or frame it comes from. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function';
}
