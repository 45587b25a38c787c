/** Mutations that get no answer even alone: how often, and from when on others go first. */
import type { StoredEntry } from '../storage/client-storage.js';

/** 3: the rest count only behind an answer, so that the first failure after an outage does not change the order. */
const MAX_UNANSWERED = 3;
/** 5: a line that breaks three requests of ten breaks five in a row once in 400 times, and then others go first in vain. */
export const MAX_FAILURES = 5;

/** How often one mutation got no answer though it went alone, and the last error. */
export interface FailuresOfOne {
  readonly count: number;
  readonly error: unknown;
}

/** Counts by id: each change of another tab makes the entries anew. Forgotten with the process, as holds are. */
export class FailuresAlone {
  readonly #failuresById = new Map<string, FailuresOfOne>();

  of(id: string): FailuresOfOne | undefined {
    return this.#failuresById.get(id);
  }

  /** True for a mutation that goes alone, behind a request that was answered. */
  isSuspect(id: string): boolean {
    return (this.of(id)?.count ?? 0) >= MAX_UNANSWERED;
  }

  /** Counts a failure; returns by how many there are more than a mutation may have before others go first. */
  add(id: string, error: unknown): number {
    const count = (this.of(id)?.count ?? 0) + 1;
    this.#failuresById.set(id, { count, error });
    return count - MAX_FAILURES;
  }

  /** After an answer, whatever it was. */
  forget(answered: readonly StoredEntry[]): void {
    for (const { mutation } of answered) this.#failuresById.delete(mutation.id);
  }

  /** The last error of a mutation that is still pending and lets others go first; `null` when there is none. */
  errorOf(pending: { readonly get: (id: string) => unknown }): unknown {
    for (const [id, { count, error }] of this.#failuresById) if (count > MAX_FAILURES && pending.get(id)) return error;
    return null;
  }
}
