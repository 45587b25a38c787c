/** A client's state in memory: what `MemoryStorage` is, and what `FileStorage` keeps beside its journal. */
import type { RecordRef } from '@objectql/sync-types';
import { RecordMap } from '../record-map.js';
import type {
  BaseRecord,
  ClientMeta,
  ClientState,
  DeadLetter,
  ParkedConflict,
  StorageBatch,
  StoredEntry,
} from './client-storage.js';
import { inOrder } from './state-order.js';

/** Takes batches that are its own to keep, e.g. a `frozenCopy`, and hands out the very values in them. */
export class MemoryTables {
  #meta: ClientMeta | null = null;
  readonly #entries = new Map<string, StoredEntry>();
  readonly #conflicts = new Map<string, ParkedConflict>();
  readonly #deadLetters = new Map<string, DeadLetter>();
  readonly #records = new RecordMap<BaseRecord>();

  get meta(): ClientMeta | null {
    return this.#meta;
  }

  /** Applies a whole batch. `onDisplaced` is told the values it replaces or removes. */
  apply(batch: StorageBatch, onDisplaced?: (value: unknown) => void): void {
    const displace = (value: unknown) => {
      if (value !== undefined) onDisplaced?.(value);
    };
    const remove = <K>(table: Table<K, unknown>, key: K) => {
      if (onDisplaced) displace(table.get(key));
      table.delete(key);
    };
    const put = <K, V>(table: Table<K, V>, key: K, value: V) => {
      if (onDisplaced) displace(table.get(key));
      table.set(key, value);
    };
    for (const id of batch.removeEntries ?? []) remove(this.#entries, id);
    for (const id of batch.removeConflicts ?? []) remove(this.#conflicts, id);
    for (const id of batch.removeDeadLetters ?? []) remove(this.#deadLetters, id);
    for (const ref of batch.removeRecords ?? []) remove(this.#records, ref);
    for (const entry of batch.putEntries ?? []) put(this.#entries, entry.mutation.id, entry);
    for (const conflict of batch.putConflicts ?? []) put(this.#conflicts, conflict.id, conflict);
    for (const deadLetter of batch.putDeadLetters ?? []) put(this.#deadLetters, deadLetter.id, deadLetter);
    for (const record of batch.putRecords ?? []) put(this.#records, record, record);
    if (batch.sweepWalk !== undefined) {
      for (const record of this.allRecords()) {
        if (record.walk !== batch.sweepWalk) remove(this.#records, record);
      }
    }
    if (batch.meta) {
      displace(this.#meta ?? undefined);
      this.#meta = batch.meta;
    }
  }

  /** What `ClientStorage.load` answers. */
  state(): ClientState {
    return inOrder({
      meta: this.#meta,
      entries: [...this.#entries.values()],
      conflicts: [...this.#conflicts.values()],
      deadLetters: [...this.#deadLetters.values()],
    });
  }

  /** The records in the order asked for. */
  getRecords(refs: readonly RecordRef[]): readonly (BaseRecord | undefined)[] {
    return refs.map((ref) => this.#records.get(ref));
  }

  /** All records of an object. */
  listRecords(objectName: string): readonly BaseRecord[] {
    return this.#records.values(objectName);
  }

  /** All records of all objects. */
  allRecords(): readonly BaseRecord[] {
    return this.#records.values();
  }
}

/** A map, also one by record. */
interface Table<Key, Value> {
  get(key: Key): Value | undefined;
  set(key: Key, value: Value): unknown;
  delete(key: Key): unknown;
}
