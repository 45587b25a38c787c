/** What the machine is told of a sync that failed: it needs time, or the user. Decided by code, never by message. */
import type { SyncEvent } from './sync-state.js';
import { SyncUsageError } from './sync-usage-error.js';
import { TransportError } from './transport/transport.js';

export function failureEvent(
  error: unknown,
  sync: { readonly now: number; readonly isOnline: boolean; readonly jitter: number; readonly hasSettled: boolean },
): SyncEvent {
  if (isWrongUser(error)) return { type: 'refused', why: 'wrong-user' };
  const refusal = error instanceof TransportError && error.failure.type === 'refused' ? error.failure : undefined;
  if (refusal?.code === 'WRONG_PRINCIPAL') return { type: 'refused', why: 'wrong-user' };
  if (refusal?.code === 'UNAUTHENTICATED' || refusal?.status === 401)
    return { type: 'refused', why: 'unauthenticated' };
  return { type: 'failed', ...sync, retryAfterMs: refusal?.retryAfterMs };
}

/** True when the storage holds another user's work. */
export function isWrongUser(error: unknown): boolean {
  return error instanceof SyncUsageError && error.code === 'WRONG_USER';
}
