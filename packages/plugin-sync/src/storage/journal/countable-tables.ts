/**
 * Tables that know which values a batch replaces: a journal counts them as garbage, a storage in memory does not need
 * that.
 */
import type { StorageBatch } from '../client-storage.js';
import { MemoryTables } from '../memory-tables.js';

export class CountableTables extends MemoryTables {
  /** The values that applying the batch will replace or remove, each once. */
  displacedBy(batch: StorageBatch): ReadonlySet<unknown> {
    const { sweepWalk, removeRecords = [], putRecords = [] } = batch;
    const putIds = [...(batch.putConflicts ?? []), ...(batch.putDeadLetters ?? [])].map(({ id }) => id);
    const displaced = new Set<unknown>([
      ...[...(batch.removeEntries ?? []), ...(batch.putEntries ?? []).map(({ mutation }) => mutation.id)].map((id) =>
        this.entries.get(id),
      ),
      ...[...(batch.removeConflicts ?? []), ...putIds].map((id) => this.waiting.conflicts.get(id)),
      ...[...(batch.removeDeadLetters ?? []), ...putIds].map((id) => this.waiting.deadLetters.get(id)),
      ...this.getRecords([...removeRecords, ...putRecords]),
      ...(sweepWalk === undefined ? [] : this.allRecords().filter(({ walk }) => walk !== sweepWalk)),
      batch.meta && this.meta,
    ]);
    displaced.delete(undefined);
    displaced.delete(null);
    return displaced;
  }
}
