/** Who waits for which mutation, also across the mutations that take its place after a conflict. */

import { SyncUsageError } from '../sync-usage-error.js';
import type { MutationOutcome } from './mutation-outcome.js';

/** 1,000 outcomes at least: for those who ask a moment too late; an outcome is no history. */
const MAX_REMEMBERED = 1000;

/** Hears the outcome, or `undefined` when nobody will learn it any more. */
type Hearer = (outcome: MutationOutcome | undefined) => void;

export class Settlements {
  readonly #hearersById = new Map<string, Hearer[]>();
  #outcomeById = new Map<string, MutationOutcome>();
  /** Those before: forgotten all at once, as looking for the oldest one each time would cost more than the rest. */
  #olderById: ReadonlyMap<string, MutationOutcome> = new Map();
  /** Of which another mutation has taken the place, and is not settled yet. */
  readonly #replaced = new Set<string>();
  /** True once nothing more will be settled. */
  isOver = false;
  readonly #onSettled: (id: string, outcome: MutationOutcome) => void;

  constructor(onSettled: (id: string, outcome: MutationOutcome) => void = () => {}) {
    this.#onSettled = onSettled;
  }

  /** Resolves when the mutation is settled; rejects when nobody will learn its outcome. */
  wait(id: string): Promise<MutationOutcome> {
    return new Promise((resolve, reject) => {
      this.#hear(id, (outcome) => {
        if (outcome) return resolve(outcome);
        const closed = 'The client was closed before the mutation was settled. It stays in the log.';
        const unknown = `No mutation with the id ${id} is pending or waits for a decision.`;
        reject(this.isOver ? new SyncUsageError('CLOSED', closed) : new SyncUsageError('UNKNOWN_ID', unknown));
      });
    });
  }

  /** The ids of the mutations that somebody waits for. */
  awaited(): readonly string[] {
    return [...this.#hearersById.keys()];
  }

  /** True while the outcome is that of a mutation which took this one's place and is not settled yet. */
  isReplaced(id: string): boolean {
    return this.#replaced.has(id);
  }

  /** The outcome of a mutation that was settled lately. */
  recall(id: string): MutationOutcome | undefined {
    return this.#outcomeById.get(id) ?? this.#olderById.get(id);
  }

  settle(id: string, outcome: MutationOutcome): void {
    if (this.#outcomeById.size >= MAX_REMEMBERED) {
      this.#olderById = this.#outcomeById;
      this.#outcomeById = new Map();
    }
    this.#outcomeById.set(id, outcome);
    this.#onSettled(id, outcome);
    this.tell(id, outcome);
  }

  /** Keeps nobody waiting: this is the outcome, or nobody will learn it. */
  tell(id: string, outcome?: MutationOutcome): void {
    this.#replaced.delete(id);
    const hearers = this.#hearersById.get(id) ?? [];
    this.#hearersById.delete(id);
    for (const hear of hearers) hear(outcome);
  }

  /** The outcome of `id`, less the fields it dropped itself, is that of `successor`. */
  replace(id: string, successor: string, droppedFields: readonly string[]): void {
    this.#replaced.add(id);
    this.#hear(successor, (outcome) => {
      if (outcome) this.settle(id, withDropped(outcome, droppedFields));
      else this.tell(id);
    });
  }

  #hear(id: string, hearer: Hearer): void {
    this.#hearersById.set(id, [...(this.#hearersById.get(id) ?? []), hearer]);
  }
}

function withDropped(outcome: MutationOutcome, dropped: readonly string[]): MutationOutcome {
  if (outcome.status !== 'applied' || dropped.length === 0) return outcome;
  return { ...outcome, droppedFields: [...new Set([...dropped, ...outcome.droppedFields])] };
}
