/** I1: no mutation is ever lost after the user was told that it is durable. */
import type { StorageBatch } from '@objectql/plugin-sync';

/** What the world knows of a mutation that leaves a log. */
export interface Justification {
  /** True when the server applied it, whatever happened to the server since. */
  readonly wasApplied: (id: string) => boolean;
  /** True when it met a conflict that a rule may have decided against it. */
  readonly wasDecided: (id: string) => boolean;
}

/** The first entry that a batch removes although it is nowhere else. */
export function findLostMutation(batch: StorageBatch, { wasApplied, wasDecided }: Justification): string | undefined {
  const kept = new Set([
    ...(batch.putConflicts ?? []).map(({ id }) => id),
    ...(batch.putDeadLetters ?? []).map(({ id }) => id),
    ...(batch.putEntries ?? []).map(({ mutation }) => mutation.id),
  ]);
  return batch.removeEntries?.find((id) => !kept.has(id) && !wasApplied(id) && !wasDecided(id));
}
