/** Those who want to know a value now and whenever it changes. */
import { jsonEquals } from '@objectql/sync-types';
import { callContained } from './call-contained.js';

/** True for values that need not be told one after the other. */
export type IsSame = (told: unknown, value: unknown) => boolean;

/** Calls each subscriber by itself: one that throws is reported, and the others still hear everything. */
export class Subscribers<Value> {
  readonly #listeners = new Set<(value: Value) => unknown>();
  readonly #read: () => Value;
  readonly #onFailed: (error: unknown) => void;
  #isDue = false;
  #isTelling = false;

  /** `read` gives the value as it is now. */
  constructor(read: () => Value, onFailed: (error: unknown) => void) {
    this.#read = read;
    this.#onFailed = onFailed;
  }

  /** Calls `listener` with the present value, and with each later one that differs. Returns what stops it. */
  add(listener: (value: Value) => unknown, isSame: IsSame = jsonEquals): () => void {
    let told: Value | undefined;
    // A function of its own, so that one listener subscribed twice is two subscriptions.
    const own = (value: Value) => {
      if (isSame(told, value)) return undefined;
      told = value;
      return listener(value);
    };
    this.#listeners.add(own);
    this.#call(own, this.#read());
    return () => {
      this.#listeners.delete(own);
    };
  }

  /**
   * The value may have changed. A change that a listener causes is told after all have heard the one before: nobody
   * hears an older value last.
   */
  tell(): void {
    this.#isDue = true;
    if (this.#isTelling) return;
    this.#isTelling = true;
    while (this.#isDue && this.#listeners.size > 0) {
      this.#isDue = false;
      const value = this.#read();
      // An earlier listener may have stopped a later one.
      for (const listener of [...this.#listeners]) if (this.#listeners.has(listener)) this.#call(listener, value);
    }
    this.#isTelling = false;
  }

  #call(listener: (value: Value) => unknown, value: Value): void {
    callContained(() => listener(value), this.#onFailed);
  }
}
