/** What a device has made durable, tracked by the simulation from its batches. */
import type { BaseRecord, ClientMeta, StorageBatch } from '@objectql/plugin-sync';
import { nameOf } from './record-name.js';

/** A device's durable state as its commits describe it. */
export class Shadow {
  meta: ClientMeta | undefined;
  records = new Map<string, BaseRecord>();
  /** Sequences of the entries by id. */
  readonly pending = new Map<string, number>();
  readonly conflicts = new Set<string>();
  readonly deadLetters = new Set<string>();

  /** A copy of its own, for a device restored from a backup. */
  copy(): Shadow {
    const copy = new Shadow();
    copy.meta = this.meta;
    for (const [name, record] of this.records) copy.records.set(name, record);
    for (const [id, sequence] of this.pending) copy.pending.set(id, sequence);
    for (const id of this.conflicts) copy.conflicts.add(id);
    for (const id of this.deadLetters) copy.deadLetters.add(id);
    return copy;
  }

  /** True while the mutation is where the user can find it. */
  holds(id: string): boolean {
    return this.pending.has(id) || this.conflicts.has(id) || this.deadLetters.has(id);
  }

  apply(batch: StorageBatch): void {
    for (const id of batch.removeEntries ?? []) this.pending.delete(id);
    for (const id of batch.removeConflicts ?? []) this.conflicts.delete(id);
    for (const id of batch.removeDeadLetters ?? []) this.deadLetters.delete(id);
    for (const ref of batch.removeRecords ?? []) this.records.delete(nameOf(ref));
    for (const { mutation } of batch.putEntries ?? []) this.pending.set(mutation.id, mutation.sequence);
    for (const { id } of batch.putConflicts ?? []) this.conflicts.add(id);
    for (const { id } of batch.putDeadLetters ?? []) this.deadLetters.add(id);
    for (const record of batch.putRecords ?? []) this.records.set(nameOf(record), record);
    if (batch.sweepWalk !== undefined) {
      for (const [name, { walk }] of this.records) if (walk !== batch.sweepWalk) this.records.delete(name);
    }
    if (batch.meta) this.meta = batch.meta;
  }
}
