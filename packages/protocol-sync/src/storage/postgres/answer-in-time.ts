/** How long a connection may take to answer before it is taken for lost. */
import { inTime } from '../../platform/in-time.js';
import type { Platform } from '../../platform/platform.js';

/**
 * 25 s, also where several statements are asked together: longer than the 20 s after which PostgreSQL gives up one of a
 * transaction, and about as long as a device waits for its answer. TCP takes a quarter of an hour and more to notice that
 * nobody is there any more, as when another server takes over and the old one's network is gone.
 */
const ANSWER_MS = 25_000;

/** A connection that has not answered in time, of which nothing more can be expected. */
export class SilentConnectionError extends Error {
  override readonly name = 'SilentConnectionError';
}

/** What was asked of the connection; throws `SilentConnectionError` when that takes too long. */
export function answerInTime<T>(asked: Promise<T>, platform: Pick<Platform, 'setTimer'>): Promise<T> {
  const silent = () => new SilentConnectionError(`The database has not answered for ${ANSWER_MS} ms.`);
  return inTime(asked, { timeoutMs: ANSWER_MS, platform }, silent);
}
