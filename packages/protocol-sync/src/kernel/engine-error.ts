/** What the data engine refuses, in the terms of sync. */
import { RejectionError } from '../record-resolver.js';

/** A refusal for good where the engine says that the same write can never succeed; any other error as it is, to be retried. */
export function toRejection(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof RejectionError) return error;
  // The engine's errors carry a code and often a status; both are its published contract, unlike its classes.
  const { code, status } = error as { readonly code?: unknown; readonly status?: unknown };
  if (code === 'RECORD_NOT_FOUND') return new RejectionError('NOT_FOUND', error.message);
  if (status === 401 || status === 403) return new RejectionError('FORBIDDEN', 'You may not make this change.');
  const isInvalid = code === 'VALIDATION_FAILED' || code === 'DUPLICATE_RECORD' || status === 400 || status === 422;
  return isInvalid ? new RejectionError('VALIDATION', error.message) : error;
}
