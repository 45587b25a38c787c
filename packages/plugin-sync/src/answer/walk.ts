/**
 * A walk of the feed from its start: every reset begins one. Its name, stored with the records it has seen, says why.
 */
import type { SyncReset } from '@objectql/sync-types';

/** Marks walks of another feed of the server: earlier versions no longer count after them. */
const EPOCH_PREFIX = 'epoch:';

/** The name of a new walk. A walk that interrupts one to another epoch is one too: those versions are still unknown. */
export function beginWalk(reset: SyncReset, current: string | null, id: string): string {
  return reset === 'epoch' || isEpochWalk(current) ? EPOCH_PREFIX + id : id;
}

/** True while bases and records may still belong to a feed that no longer exists. */
export function isEpochWalk(walk: string | null): boolean {
  return walk?.startsWith(EPOCH_PREFIX) ?? false;
}
