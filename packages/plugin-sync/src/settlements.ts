/** Who waits for which mutation, also across the mutations that take its place after a conflict. */
import type { MutationOutcome } from './mutation-outcome.js';
import { SyncUsageError } from './sync-usage-error.js';

/** 1,000 outcomes: for those who ask a moment too late; an outcome is no history. */
const MAX_REMEMBERED = 1000;

interface Waiter {
  readonly resolve: (outcome: MutationOutcome) => void;
  readonly reject: (error: Error) => void;
}

export class Settlements {
  readonly #waitersById = new Map<string, Waiter[]>();
  readonly #outcomeById = new Map<string, MutationOutcome>();
  readonly #followed = new Set<string>();
  /** For each mutation, those whose outcome is its own. */
  readonly #predecessorsById = new Map<string, { readonly id: string; readonly droppedFields: readonly string[] }[]>();

  readonly #onSettled: (id: string, outcome: MutationOutcome) => void;

  constructor(onSettled: (id: string, outcome: MutationOutcome) => void = () => {}) {
    this.#onSettled = onSettled;
  }

  /** Resolves when the mutation is settled. */
  wait(id: string): Promise<MutationOutcome> {
    return new Promise((resolve, reject) => {
      this.#waitersById.set(id, [...(this.#waitersById.get(id) ?? []), { resolve, reject }]);
    });
  }

  /** True while the outcome is that of a mutation which took this one's place and is not settled yet. */
  isFollowed(id: string): boolean {
    return this.#followed.has(id);
  }

  /** The outcome of a mutation that was settled lately. */
  recall(id: string): MutationOutcome | undefined {
    return this.#outcomeById.get(id);
  }

  settle(id: string, outcome: MutationOutcome): void {
    this.#remember(id, outcome);
    this.#followed.delete(id);
    for (const { resolve } of this.#waitersById.get(id) ?? []) resolve(outcome);
    this.#waitersById.delete(id);
    this.#onSettled(id, outcome);
    const predecessors = this.#predecessorsById.get(id) ?? [];
    this.#predecessorsById.delete(id);
    for (const { id: predecessor, droppedFields } of predecessors) {
      this.settle(predecessor, withDropped(outcome, droppedFields));
    }
  }

  /** The outcome of `id`, less the fields it dropped itself, is that of `successor`. */
  follow(id: string, successor: string, droppedFields: readonly string[]): void {
    this.#followed.add(id);
    const predecessors = this.#predecessorsById.get(successor) ?? [];
    this.#predecessorsById.set(successor, [...predecessors, { id, droppedFields }]);
  }

  /** Nobody will hear any more: the client is closed. */
  end(): void {
    const error = new SyncUsageError(
      'CLOSED',
      'The client was closed before the mutation was settled. It stays in the log.',
    );
    for (const waiters of this.#waitersById.values()) for (const { reject } of waiters) reject(error);
    this.#waitersById.clear();
  }

  #remember(id: string, outcome: MutationOutcome): void {
    this.#outcomeById.set(id, outcome);
    const [oldest] = this.#outcomeById.keys();
    if (this.#outcomeById.size > MAX_REMEMBERED && oldest !== undefined) this.#outcomeById.delete(oldest);
  }
}

function withDropped(outcome: MutationOutcome, dropped: readonly string[]): MutationOutcome {
  if (outcome.status !== 'applied' || dropped.length === 0) return outcome;
  return { ...outcome, droppedFields: [...new Set([...dropped, ...outcome.droppedFields])] };
}
