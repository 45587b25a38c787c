/** Selects the mutations of the next push: the unsettled prefix of the log, without records on hold. */
import { type RecordRef, utf8Bytes } from '@objectql/sync-types';
import type { StoredEntry } from '../storage/client-storage.js';
import { rememberedText } from './mutation-text.js';

export interface BatchRules {
  /** Ids of mutations in an answer that is not stored yet. */
  readonly answered: ReadonlySet<string>;
  /** True for a record whose next try must wait; all its mutations wait with it, to keep their order. */
  readonly isHeld: (ref: RecordRef) => boolean;
  readonly batchSizeOf: (objectName: string) => number;
  readonly maxMutations: number;
  readonly maxBytes: number;
}

/**
 * The durable entries to send, in the order of the log, up to the first that exceeds a limit. Costs what is sent and
 * held, not what is queued.
 */
export function selectBatch(durable: Iterable<StoredEntry>, rules: BatchRules): readonly StoredEntry[] {
  const batch: StoredEntry[] = [];
  const countByObject = new Map<string, number>();
  let bytes = 0;
  for (const entry of durable) {
    const { id, objectName } = entry.mutation;
    if (rules.answered.has(id)) continue;
    if (batch.length >= rules.maxMutations) break;
    if (rules.isHeld(entry.mutation)) continue;
    const count = (countByObject.get(objectName) ?? 0) + 1;
    if (count > rules.batchSizeOf(objectName)) break;
    bytes += utf8Bytes(rememberedText(entry.mutation)) + 1;
    // One is always sent: the server decides whether it is too large alone.
    if (batch.length > 0 && bytes > rules.maxBytes) break;
    countByObject.set(objectName, count);
    batch.push(entry);
  }
  return batch;
}
