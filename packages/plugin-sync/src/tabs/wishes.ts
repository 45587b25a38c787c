/** What this tab wants of the leader, whichever tab that is: each new leader is asked again until it is done. */
import type { Wish, WishError } from './tab-message.js';

interface Open {
  readonly wish: Wish;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: WishError) => void;
}

export class Wishes {
  readonly #send: (id: string, wish: Wish) => void;
  readonly #openById = new Map<string, Open>();
  /** Why nobody will answer any more. */
  #end: WishError | undefined;

  constructor(send: (id: string, wish: Wish) => void) {
    this.#send = send;
  }

  /** Resolves with what the leader answers; rejects with a `WishError`. */
  ask(id: string, wish: Wish): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#end) return reject(this.#end);
      this.#openById.set(id, { wish, resolve, reject });
      this.#send(id, wish);
    });
  }

  /** The leader has answered. */
  done(id: string, value: unknown, error?: WishError): void {
    const open = this.#openById.get(id);
    this.#openById.delete(id);
    if (error) open?.reject(error);
    else open?.resolve(value);
  }

  /** Another tab leads now. */
  askAgain(): void {
    for (const [id, { wish }] of this.#openById) this.#send(id, wish);
  }

  /** Nobody will answer any more. */
  end(error: WishError): void {
    this.#end = error;
    for (const id of this.#openById.keys()) this.done(id, undefined, error);
  }
}
