/** Which batches bring nothing but what the server told, and can tell again. */
import type { ClientMeta, StorageBatch } from './client-storage.js';

/**
 * Whether the batch changes only records and the place in the server's feed, of the client whose state is stored. A storage may leave
 * it to the system when such a batch reaches the disk.
 */
export function canBeAskedAgain(batch: StorageBatch, stored: ClientMeta | null): boolean {
  const { meta = stored, ...others } = batch;
  if (!stored || !meta) return false;
  return (
    Object.entries(others).every(([name, what]) => ASKED.has(name) || Object(what).length === 0) &&
    Object.entries(meta).every(([name, fact]) => PLACE.has(name) || fact === stored[name as keyof ClientMeta])
  );
}

/** What of a batch is no change of what only this device has. */
const ASKED: ReadonlySet<string> = new Set<keyof StorageBatch>([
  'expectCheckpoint',
  'expectRevision',
  'putRecords',
  'removeRecords',
  'sweepWalk',
]);

const PLACE: ReadonlySet<string> = new Set<keyof ClientMeta>(['checkpoint', 'walk', 'revision']);
