/** How many requests or streams of one principal are served at once. */
import type { Principal } from '../principal.js';
import { SyncRequestError } from '../sync-request-error.js';

export interface GateOptions {
  /** At most this many of each principal at once. */
  readonly max: number;
  /** The message for a refused caller: of what there are too many, and when another try makes sense. */
  readonly refusal: (active: number) => string;
  readonly retryAfterMs: number;
}

/**
 * Lets at most `max` of each principal in and refuses the rest with `RATE_LIMITED`, so that one account's devices cannot
 * take all of a server's memory and connections. Callers nobody has authenticated cannot be told apart and are not
 * counted. The count is this process's own.
 */
export class PrincipalGate {
  readonly #options: GateOptions;
  readonly #activeByPrincipal = new Map<string, number>();

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Does `work` when the principal has room for it. */
  async pass<T>(principal: Principal | null, work: () => Promise<T>): Promise<T> {
    const leave = this.enter(principal);
    try {
      return await work();
    } finally {
      leave();
    }
  }

  /** Takes room for the principal, or throws. Returns a function that gives it back, to be called once. */
  enter(principal: Principal | null): () => void {
    if (!principal) return () => {};
    const { id } = principal;
    const { max, refusal, retryAfterMs } = this.#options;
    const active = this.#activeByPrincipal.get(id) ?? 0;
    if (active >= max) throw new SyncRequestError('RATE_LIMITED', refusal(active), { retryAfterMs });
    this.#activeByPrincipal.set(id, active + 1);
    return () => this.#leave(id);
  }

  #leave(id: string): void {
    const active = this.#activeByPrincipal.get(id) ?? 0;
    if (active > 1) this.#activeByPrincipal.set(id, active - 1);
    else this.#activeByPrincipal.delete(id);
  }
}
