/** How long a connection may take to answer before it counts as lost. */
import { inTime } from '../../platform/in-time.js';
import type { Platform } from '../../platform/platform.js';

/**
 * 25 s, even for several statements at once: longer than the 20 s after which PostgreSQL gives up one of a transaction,
 * and about as long as a device waits for its answer. TCP takes a quarter of an hour or more to notice that the other
 * end is gone, as when another server takes over and the old one's network fails.
 */
const ANSWER_MS = 25_000;

/** A connection that has not answered in time and cannot be used any more. */
export class SilentConnectionError extends Error {
  override readonly name = 'SilentConnectionError';
}

/** The connection's answer; throws `SilentConnectionError` when that takes too long. */
export function answerInTime<T>(asked: Promise<T>, platform: Pick<Platform, 'setTimer'>): Promise<T> {
  const silent = () => new SilentConnectionError(`The database has not answered for ${ANSWER_MS} ms.`);
  return inTime(asked, { timeoutMs: ANSWER_MS, platform }, silent);
}
