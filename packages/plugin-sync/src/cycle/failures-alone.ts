/** Mutations that get no answer even alone: how often, and from when on others go first. */

/** 3: the rest count only behind an answer, so that the first failure after an outage does not change the order. */
const MAX_UNANSWERED = 3;
/** 5: a line that breaks three requests of ten breaks five in a row once in 400 times, and then others go first in vain. */
const MAX_FAILURES = 5;

/** Counts by id: each change of another tab makes the entries anew. Forgotten with the process, as holds are. */
export class FailuresAlone {
  readonly #countById = new Map<string, number>();

  /** True for a mutation that goes alone, behind a request that was answered. */
  isSuspect(id: string): boolean {
    return (this.#countById.get(id) ?? 0) >= MAX_UNANSWERED;
  }

  /** Counts a failure; returns by how many there are more than a mutation may have before others go first. */
  add(id: string): number {
    const count = (this.#countById.get(id) ?? 0) + 1;
    this.#countById.set(id, count);
    return count - MAX_FAILURES;
  }

  forget(ids: Iterable<string>): void {
    for (const id of ids) this.#countById.delete(id);
  }
}
