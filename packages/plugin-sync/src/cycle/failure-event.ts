/** Turns a failed sync into an event for the machine, by the error's code: it needs time, or the user. */

import { failureOf } from '../transport/transport.js';
import type { SyncEvent } from './sync-state.js';

export function failureEvent(
  error: unknown,
  sync: { readonly jitter: number; readonly hasAdvanced: boolean },
): SyncEvent {
  const { code, status, retryAfterMs } = failureOf(error);
  if (code === 'WRONG_PRINCIPAL') return { type: 'refused', why: 'wrong-user' };
  if (code === 'UNAUTHENTICATED' || status === 401) return { type: 'refused', why: 'unauthenticated' };
  return { type: 'failed', ...sync, retryAfterMs };
}
