/** Who waits for which mutation, also across the mutations that take its place after a conflict. */
import type { MutationOutcome } from './plan-answer.js';

/** 1,000 outcomes: for those who ask a moment too late; an outcome is no history. */
const MAX_REMEMBERED = 1000;

export class Settlements {
  readonly #waitersById = new Map<string, ((outcome: MutationOutcome) => void)[]>();
  readonly #outcomeById = new Map<string, MutationOutcome>();

  /** Resolves when the mutation is settled. */
  wait(id: string): Promise<MutationOutcome> {
    return new Promise((resolve) => {
      this.#waitersById.set(id, [...(this.#waitersById.get(id) ?? []), resolve]);
    });
  }

  /** The outcome of a mutation that was settled lately. */
  recall(id: string): MutationOutcome | undefined {
    return this.#outcomeById.get(id);
  }

  settle(id: string, outcome: MutationOutcome): void {
    this.#outcomeById.set(id, outcome);
    const [oldest] = this.#outcomeById.keys();
    if (this.#outcomeById.size > MAX_REMEMBERED && oldest !== undefined) this.#outcomeById.delete(oldest);
    for (const resolve of this.#waitersById.get(id) ?? []) resolve(outcome);
    this.#waitersById.delete(id);
  }

  /** Whoever waits for `id` now waits for `successor`. */
  follow(id: string, successor: string): void {
    void this.wait(successor).then((outcome) => this.settle(id, outcome));
  }
}
