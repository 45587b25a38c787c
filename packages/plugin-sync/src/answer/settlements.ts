/** Keeps who waits for which mutation, also across the mutations that replace it after a conflict. */

import { SyncUsageError } from '../sync-usage-error.js';
import type { MutationOutcome } from './mutation-outcome.js';

/** At least 1,000 outcomes, for callers who ask a moment too late; this is no history. */
const MAX_REMEMBERED = 1000;

/** Hears the outcome, or `undefined` when nobody will ever learn it. */
type Hearer = (outcome: MutationOutcome | undefined) => void;

export class Settlements {
  readonly #hearersById = new Map<string, Hearer[]>();
  #outcomeById = new Map<string, MutationOutcome>();
  /**
   * The outcomes before those: dropped all at once, because finding the oldest each time would cost more than all the
   * rest.
   */
  #olderById: ReadonlyMap<string, MutationOutcome> = new Map();
  /** Ids of mutations that were replaced by one that is not settled yet. */
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

  /** True while the mutation was replaced by one that is not settled yet. */
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

  /** Tells all who wait the outcome, or, without one, that nobody will learn it. */
  tell(id: string, outcome?: MutationOutcome): void {
    this.#replaced.delete(id);
    const hearers = this.#hearersById.get(id) ?? [];
    this.#hearersById.delete(id);
    for (const hear of hearers) hear(outcome);
  }

  /** `id` gets the outcome of `successor`, with the fields that `id` itself dropped. */
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
