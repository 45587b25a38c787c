/** I1: no mutation the user was told is durable is ever lost. */
import type { StorageBatch } from '@objectql/plugin-sync';

/** What the world knows of a mutation that leaves a log. */
export interface Justification {
  /** True when the server applied it, whatever became of the server since. */
  readonly wasApplied: (id: string) => boolean;
  /** True when the server answered that it met a conflict. */
  readonly metConflict: (id: string) => boolean;
}

/** The first entry that a batch removes without it being anywhere else. */
export function findLostMutation(batch: StorageBatch, { wasApplied, metConflict }: Justification): string | undefined {
  const kept = new Set([
    ...(batch.putConflicts ?? []).map(({ id }) => id),
    ...(batch.putDeadLetters ?? []).map(({ id }) => id),
    ...(batch.putEntries ?? []).map(({ mutation }) => mutation.id),
  ]);
  return batch.removeEntries?.find((id) => !kept.has(id) && !wasApplied(id) && !metConflict(id));
}
