/** What can be mended at once when a request is refused as a whole, decided by code and never by message. */
import { CheckpointMovedError } from './storage/client-storage.js';
import { TransportError } from './transport/transport.js';

export type Repair =
  /** Somebody else stored an answer first: read the storage again and ask from where that one ended. */
  | 'reload'
  /** The device was cloned or restored: continue as a new log. */
  | 'new-log'
  /** The checkpoint is none of this server's: walk the feed from its start. */
  | 'restart-feed'
  /** The request was too large for the server. */
  | 'send-less'
  /** The request was too large for something in between that knows no mutations. */
  | 'send-less-for-now'
  /** It needs time, or the user. */
  | 'none';

/** What to do about a failed request before it is made again. */
export function repairFor(error: unknown): Repair {
  if (error instanceof CheckpointMovedError) return 'reload';
  if (!(error instanceof TransportError) || error.failure.type !== 'refused') return 'none';
  const { code, status } = error.failure;
  if (code === 'LOG_FORKED') return 'new-log';
  if (code === 'INVALID_CHECKPOINT') return 'restart-feed';
  if (code === 'TOO_LARGE') return 'send-less';
  return status === 413 ? 'send-less-for-now' : 'none';
}
