/** Finds the batches that hold only what the server told and can tell again. */
import type { ClientMeta, StorageBatch } from './client-storage.js';

/**
 * True if the batch changes only records and the checkpoint, of the client whose state is stored. A storage may let the
 * system decide when such a batch reaches the disk.
 */
export function canBeAskedAgain(batch: StorageBatch, stored: ClientMeta | null): boolean {
  if (!stored) return false;
  const { meta = stored, ...others } = batch;
  return (
    Object.entries(others).every(([name, what]) => ASKED.has(name) || Object(what).length === 0) &&
    Object.entries(meta).every(([name, fact]) => PLACE.has(name) || fact === stored[name as keyof ClientMeta])
  );
}

/** The parts of a batch that change nothing that only this device has. */
const ASKED: ReadonlySet<string> = new Set<keyof StorageBatch>([
  'expectCheckpoint',
  'expectRevision',
  'putRecords',
  'removeRecords',
  'sweepWalk',
]);

const PLACE: ReadonlySet<string> = new Set<keyof ClientMeta>(['checkpoint', 'walk', 'revision']);
