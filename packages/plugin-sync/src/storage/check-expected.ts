/** The guards of a batch: what its author knew of the stored state must still be true. */
import { CheckpointMovedError, type ClientMeta, RevisionMovedError, type StorageBatch } from './client-storage.js';

/**
 * Throws `RevisionMovedError` if the batch expects another revision than the stored one, then `CheckpointMovedError` if
 * it expects another checkpoint.
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
