/** How many requests of one principal are worked on at once. */
import type { Principal } from '../principal.js';
import { SyncRequestError } from '../sync-request-error.js';

/** 1 s: the requests ahead are usually answered by then. */
const RETRY_AFTER_MS = 1000;

/**
 * Lets at most `maxConcurrent` requests of each principal through and refuses the rest with `RATE_LIMITED`, so that one
 * account's devices cannot take all of a server's memory and connections. Callers nobody has authenticated cannot be
 * told apart and are not counted. The count is this process's own.
 */
export class PrincipalGate {
  readonly #maxConcurrent: number;
  readonly #activeByPrincipal = new Map<string, number>();

  constructor(maxConcurrent: number) {
    this.#maxConcurrent = maxConcurrent;
  }

  /** Does `work` when the principal has room for it. */
  async pass<T>(principal: Principal | null, work: () => Promise<T>): Promise<T> {
    if (!principal) return work();
    const active = this.#activeByPrincipal.get(principal.id) ?? 0;
    if (active >= this.#maxConcurrent) {
      const message = `${active} requests of this principal are under way. Wait for their answers.`;
      throw new SyncRequestError('RATE_LIMITED', message, { retryAfterMs: RETRY_AFTER_MS });
    }
    this.#activeByPrincipal.set(principal.id, active + 1);
    try {
      return await work();
    } finally {
      this.#leave(principal.id);
    }
  }

  #leave(id: string): void {
    const active = this.#activeByPrincipal.get(id) ?? 0;
    if (active > 1) this.#activeByPrincipal.set(id, active - 1);
    else this.#activeByPrincipal.delete(id);
  }
}
