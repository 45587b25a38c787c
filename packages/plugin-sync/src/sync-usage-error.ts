/** The application asked for something impossible; nothing was recorded. */

/**
 * - `INVALID_MUTATION`: the mutation is not one that can be stored and sent; the message names the place.
 * - `INVALID_CONFIG`: an option is unknown, out of range or none of its kind.
 * - `NOT_ENABLED`: the object takes no part in sync.
 * - `READ_ONLY`: the object is `pull-only`.
 * - `WRONG_OBJECT`: an engine is a view of one object and was given a mutation of another.
 * - `WRONG_USER`: the stored log is another user's.
 * - `UNKNOWN_RECORD`: there is no such record here to change.
 * - `UNKNOWN_ID`: no such mutation, conflict or dead letter.
 * - `CLOSED`: the client was closed.
 */
export type SyncUsageErrorCode =
  | 'INVALID_MUTATION'
  | 'INVALID_CONFIG'
  | 'NOT_ENABLED'
  | 'READ_ONLY'
  | 'WRONG_OBJECT'
  | 'WRONG_USER'
  | 'UNKNOWN_RECORD'
  | 'UNKNOWN_ID'
  | 'CLOSED';

/** Thrown when the caller can do something about it; decide by `code`. */
export class SyncUsageError extends Error {
  override readonly name = 'SyncUsageError';
  readonly code: SyncUsageErrorCode;

  constructor(code: SyncUsageErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** True when the storage holds another user's work. */
export function isWrongUser(error: unknown): boolean {
  return error instanceof SyncUsageError && error.code === 'WRONG_USER';
}
