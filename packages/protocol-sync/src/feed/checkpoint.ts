/** A place in the feed as text. Opaque to clients; here it is parsed and judged. */
import type { SyncReset } from '@objectql/sync-types';
import type { StoreFacts } from '../storage/sync-store.js';

export interface Checkpoint {
  /** The epoch of the feed when this was made. */
  readonly epoch: string;
  /** The last place scanned. */
  readonly place: number;
  /**
   * The feed's head when the walk from its start began; 0 once that walk is over. The walk has seen no record alive whose
   * tombstone was dropped below it, so such a drop does not expire the walk.
   */
  readonly since: number;
  /** Digest of the objects asked for and the caller's rights; empty for everything. */
  readonly scope: string;
  /** The feed's head when this was made: up to there its client knows the outcomes of its own writes. */
  readonly seen: number;
}

const FORMAT = /^2\.([A-Za-z0-9-]{1,64})\.(\d{1,15})\.(\d{1,15})\.([A-Za-z0-9_-]{0,32})(?:\.(\d{1,15}))?$/;

/** The checkpoint as sent to clients, e.g. `2.5f0c….1042.0.`; `seen` is added only if it is more than was scanned. */
export function formatCheckpoint({ epoch, place, since, scope, seen }: Checkpoint): string {
  return `2.${epoch}.${place}.${since}.${scope}${seen > place ? `.${seen}` : ''}`;
}

/** The place a client sent, or `undefined` for text that no server of this kind has made. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const [, epoch, place, since, scope, seen = 0] = FORMAT.exec(text) ?? [];
  if (epoch === undefined || scope === undefined) return undefined;
  const scanned = Number(place);
  return { epoch, place: scanned, since: Number(since), scope, seen: Math.max(scanned, Number(seen)) };
}

/** Where a page starts, and whether the walk starts over. */
export interface PageStart {
  readonly after: number;
  readonly since: number;
  readonly reset?: SyncReset;
}

/** Judges a client's checkpoint against the feed as it is. Never continues over a gap. */
export function findPageStart(checkpoint: Checkpoint | null, facts: StoreFacts, scope: string): PageStart {
  const fromStart = { after: 0, since: facts.head };
  if (!checkpoint) return fromStart;
  if (isOfAnotherFeed(checkpoint, facts)) return { ...fromStart, reset: 'epoch' };
  if (checkpoint.scope !== scope) return { ...fromStart, reset: 'scope' };
  if (facts.floor > Math.max(checkpoint.place, checkpoint.since)) return { ...fromStart, reset: 'expired' };
  return { after: checkpoint.place, since: checkpoint.since };
}

/**
 * True if this feed does not contain the checkpoint's epoch, or not as far as the client has seen it: the store lost what
 * the client knows, however far others have written since.
 */
export function isOfAnotherFeed({ seen }: Pick<Checkpoint, 'seen'>, { reach }: StoreFacts): boolean {
  return reach === undefined || seen > reach;
}

/** The checkpoint after a page that scanned up to `place`; the last page ends a walk. */
export function nextCheckpoint(
  start: PageStart,
  { hasMore, ...scanned }: Omit<Checkpoint, 'since'> & { readonly hasMore: boolean },
): Checkpoint {
  return { ...scanned, since: hasMore ? start.since : 0 };
}
