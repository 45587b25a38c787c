/** The guard of every batch that stores an answer: the checkpoint must still be the one the request was made with. */
import { CheckpointMovedError } from './client-storage.js';

/** Throws `CheckpointMovedError` unless the batch expects no checkpoint (`undefined`), or the stored one. */
export function checkCheckpoint(expected: string | null | undefined, stored: string | null): void {
  if (expected === undefined || expected === stored) return;
  throw new CheckpointMovedError(
    'The stored checkpoint is no longer the one this batch was made for: nothing was stored. Load the storage and ask the server again.',
  );
}
