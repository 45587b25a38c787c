/** Combines the answers of one sync. */
import type { SyncMutationResult, SyncPushResponse, SyncServerChange } from '@objectql/sync-types';

/** 1,000 changes: a page. A first sync of 100,000 records must not keep them all until it is over. */
const MAX_CHANGES = 1000;

export class WholeAnswer {
  readonly #results: SyncMutationResult[] = [];
  #changes: readonly SyncServerChange[] = [];
  #last: SyncPushResponse | null = null;

  add(answer: SyncPushResponse): void {
    this.#results.push(...answer.results);
    this.#changes = [...this.#changes, ...answer.serverChanges].slice(-MAX_CHANGES);
    // A reset concerns the whole sync, whichever page brought it.
    const { reset = this.#last?.reset } = answer;
    this.#last = reset ? { ...answer, reset } : answer;
  }

  /** The last answer with the results of all, the last changes and the last reset; `null` when there was none. */
  get(): SyncPushResponse | null {
    return this.#last && { ...this.#last, results: this.#results, serverChanges: this.#changes };
  }
}
