/** The ledger of a store in memory. */
import type { LedgerRow, PlacesOfLog, PruneSlice } from '../sync-store.js';
import { RowsOfLog } from './rows-of-log.js';

export class MemoryLedger {
  readonly #byId = new Map<string, LedgerRow>();
  readonly #byLog = new Map<string, RowsOfLog>();

  /** The rows of these ids, and those at these places in logs, each once. */
  recall(mutationIds: readonly string[], logs: readonly PlacesOfLog[]): readonly LedgerRow[] {
    const found = new Set<LedgerRow>();
    for (const id of mutationIds) {
      const row = this.#byId.get(id);
      if (row) found.add(row);
    }
    for (const { logId, sequences } of logs) {
      const rows = this.#byLog.get(logId);
      for (const sequence of rows ? sequences : []) {
        const row = rows?.get(sequence);
        if (row) found.add(row);
      }
    }
    return [...found];
  }

  /** Enters all rows, or throws and enters none if an id or a sequence of a log is taken. */
  enter(rows: readonly LedgerRow[]): void {
    rows.forEach((row, index) => {
      if (this.#enterOne(row)) return;
      for (const entered of rows.slice(0, index)) this.leave(entered);
      const { mutationId, sequence } = row;
      throw new Error(`Mutation ${mutationId} or its sequence ${sequence} is in the ledger. Load before you save.`);
    });
  }

  leave({ mutationId, logId, sequence }: LedgerRow): void {
    this.#byId.delete(mutationId);
    if (logId === null) return;
    const rows = this.#byLog.get(logId);
    rows?.delete(sequence);
    if (rows?.isEmpty) this.#byLog.delete(logId);
  }

  /** At most `limit` of the rows that are older than `before`, the oldest first. */
  due({ before, limit }: PruneSlice): readonly LedgerRow[] {
    return [...this.#byId.values()]
      .filter(({ at }) => at < before)
      .sort((a, b) => a.at - b.at)
      .slice(0, limit);
  }

  /** False, and nothing changed, when the row is taken. */
  #enterOne(row: LedgerRow): boolean {
    const { mutationId, logId } = row;
    if (this.#byId.has(mutationId)) return false;
    if (logId !== null) {
      const rows = this.#byLog.get(logId) ?? new RowsOfLog();
      if (!rows.add(row)) return false;
      this.#byLog.set(logId, rows);
    }
    this.#byId.set(mutationId, row);
    return true;
  }
}
