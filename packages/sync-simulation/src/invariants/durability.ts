/** I1: no mutation the user was told is durable is ever lost. */
import type { StorageBatch } from '@objectql/plugin-sync';

/** What the world knows of a mutation that leaves a log. */
export interface Justification {
  /** True when the server applied it, whatever became of the server since. */
  readonly wasApplied: (id: string) => boolean;
  /** True when it met a conflict that a rule may have decided against it. */
  readonly wasDecided: (id: string) => boolean;
}

/** The first entry that a batch removes without it being anywhere else. */
export function findLostMutation(batch: StorageBatch, { wasApplied, wasDecided }: Justification): string | undefined {
  const kept = new Set([
    ...(batch.putConflicts ?? []).map(({ id }) => id),
    ...(batch.putDeadLetters ?? []).map(({ id }) => id),
    ...(batch.putEntries ?? []).map(({ mutation }) => mutation.id),
  ]);
  return batch.removeEntries?.find((id) => !kept.has(id) && !wasApplied(id) && !wasDecided(id));
}
