/** I2: a mutation keeps its sequence, by which a server knows it that has forgotten its outcome. */
import type { StorageBatch } from '@objectql/plugin-sync';
import type { Shadow } from '../shadow.js';

/** The first entry that a batch stores under another sequence although it is in the log already. */
export function findRenumbered(
  { putEntries = [], meta }: StorageBatch,
  stored: Pick<Shadow, 'pending' | 'meta'>,
): string | undefined {
  // Another log has other sequences.
  if (meta && meta.logId !== stored.meta?.logId) return undefined;
  return putEntries.find(({ mutation: { id, sequence } }) => (stored.pending.get(id) ?? sequence) !== sequence)
    ?.mutation.id;
}
