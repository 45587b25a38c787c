/** One log's part of the ledger of a store in memory. */
import type { LedgerRow } from '../sync-store.js';

/** The rows by their sequences. Nearly every new row has the highest sequence, and then nothing is looked up. */
export class RowsOfLog {
  readonly #bySequence = new Map<number, LedgerRow>();
  #last = 0;

  get isEmpty(): boolean {
    return this.#bySequence.size === 0;
  }

  get(sequence: number): LedgerRow | undefined {
    return sequence > this.#last ? undefined : this.#bySequence.get(sequence);
  }

  /** False, and nothing changed, when its sequence is taken. */
  add(row: LedgerRow): boolean {
    if (this.get(row.sequence)) return false;
    this.#bySequence.set(row.sequence, row);
    this.#last = Math.max(this.#last, row.sequence);
    return true;
  }

  delete(sequence: number): void {
    this.#bySequence.delete(sequence);
  }
}
