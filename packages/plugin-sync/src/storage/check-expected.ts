/** The guards of a batch: what its author knew of the stored state must still be so. */
import { CheckpointMovedError, type ClientMeta, RevisionMovedError, type StorageBatch } from './client-storage.js';

/**
 * Throws `RevisionMovedError` unless the batch expects no revision or the stored one, and then `CheckpointMovedError`
 * unless it expects no checkpoint or the stored one.
 */
export function checkExpected(
  batch: Pick<StorageBatch, 'expectCheckpoint' | 'expectRevision'>,
  stored: ClientMeta | null | undefined,
): void {
  const { expectCheckpoint, expectRevision } = batch;
  if (expectRevision !== undefined && expectRevision !== (stored?.revision ?? 0)) throw new RevisionMovedError();
  if (expectCheckpoint !== undefined && expectCheckpoint !== (stored?.checkpoint ?? null)) {
    throw new CheckpointMovedError();
  }
}
