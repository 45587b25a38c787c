/** A walk of the feed from its start: every reset begins one. Its name, stored with the records it has seen, says why. */
import type { SyncReset } from '@objectql/sync-types';

/** Walks after which versions from before count for nothing: the server's feed is another one. */
const EPOCH_PREFIX = 'epoch:';

/** The name of a new walk. One that interrupts a walk to another epoch is one itself: those versions are still unknown. */
export function beginWalk(reset: SyncReset, current: string | null, id: string): string {
  return reset === 'epoch' || isEpochWalk(current) ? EPOCH_PREFIX + id : id;
}

/** True while bases and records may still be those of a feed that is no more. */
export function isEpochWalk(walk: string | null): boolean {
  return walk?.startsWith(EPOCH_PREFIX) ?? false;
}
