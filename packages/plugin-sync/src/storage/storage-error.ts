/** What can go wrong in a storage, as a closed set of codes. */

/**
 * Why a storage did not do what it was asked to.
 * - `CLOSED`: it was closed before; open another one.
 * - `LOCKED`: another process or tab uses it, or keeps it from answering.
 * - `UNAVAILABLE`: there is none here, as in private windows of some browsers or where site data is blocked.
 * - `DAMAGED`: what is stored is not what was written. Nothing is repaired silently.
 * - `CLEARED`: everything that was stored has been deleted under it, as by a sign-out in another tab.
 * - `TOO_NEW`: a newer version of the app wrote it.
 * - `FULL`: the disk or the browser's quota is used up.
 * - `FAILED`: the engine refused for another reason, which is the error's `cause`.
 */
export type StorageErrorCode =
  | 'CLOSED'
  | 'LOCKED'
  | 'UNAVAILABLE'
  | 'DAMAGED'
  | 'CLEARED'
  | 'TOO_NEW'
  | 'FULL'
  | 'FAILED';

/** Thrown by storages; decide by `code` what to do next, never by the message. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code: StorageErrorCode;

  constructor(code: StorageErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The error of a file that is no longer the one that was opened. */
export function clearedError(path: string): StorageError {
  return new StorageError('CLEARED', `${path} was deleted or moved while it was open. Start the app anew.`);
}

/** The error of every call after `close`. */
export function closedError(storage: string): StorageError {
  return new StorageError('CLOSED', `${storage} was closed. Open a new one to go on.`);
}
