/** A client's state in memory: all of `MemoryStorage`, and what `FileStorage` keeps beside its journal. */
import { RecordMap, type RecordRef } from '@objectql/sync-types';
import { WaitingItems } from '../waiting/waiting-items.js';
import type { BaseRecord, ClientMeta, ClientState, StorageBatch, StoredEntry } from './client-storage.js';
import { inOrder } from './state-order.js';

/** Keeps the batches it is given, e.g. a `frozenCopy`, and hands out the same values. */
export class MemoryTables {
  #meta: ClientMeta | null = null;
  protected readonly entries = new Map<string, StoredEntry>();
  protected readonly waiting = new WaitingItems();
  protected readonly records = new RecordMap<BaseRecord>();

  get meta(): ClientMeta | null {
    return this.#meta;
  }

  /** Applies a whole batch. */
  apply(batch: StorageBatch): void {
    for (const id of batch.removeEntries ?? []) this.entries.delete(id);
    for (const ref of batch.removeRecords ?? []) this.records.delete(ref);
    for (const entry of batch.putEntries ?? []) this.entries.set(entry.mutation.id, entry);
    for (const record of batch.putRecords ?? []) this.records.set(record, record);
    this.waiting.update(batch);
    if (batch.sweepWalk !== undefined) {
      for (const record of this.allRecords()) if (record.walk !== batch.sweepWalk) this.records.delete(record);
    }
    this.#meta = batch.meta ?? this.#meta;
  }

  /** The answer of `ClientStorage.load`. */
  state(): ClientState {
    const { conflicts, deadLetters } = this.waiting;
    return inOrder({
      meta: this.#meta,
      entries: [...this.entries.values()],
      conflicts: [...conflicts.values()],
      deadLetters: [...deadLetters.values()],
    });
  }

  /** The records in the order asked for. */
  getRecords(refs: readonly RecordRef[]): readonly (BaseRecord | undefined)[] {
    return refs.map((ref) => this.records.get(ref));
  }

  /** All records of an object. */
  listRecords(objectName: string): readonly BaseRecord[] {
    return this.records.values(objectName);
  }

  /** All records of all objects. */
  allRecords(): readonly BaseRecord[] {
    return this.records.values();
  }
}
