/** One page of the feed as a client may see it. */
import { createHash } from 'node:crypto';
import { recordKey, type SyncReset, type SyncServerChange, utf8Bytes } from '@objectql/sync-types';
import type { OwnWrite } from './apply-mutations.js';
import type { Authorize, ReadPermission } from './authorize.js';
import { findPageStart, formatCheckpoint, nextCheckpoint, type PageStart } from './checkpoint.js';
import type { Principal } from './principal.js';
import type { PushRequest } from './push-request.js';
import { StoreBusyError, type StoredRecord, type SyncStore } from './storage/sync-store.js';

export interface FeedPage {
  readonly changes: readonly SyncServerChange[];
  readonly checkpoint: string;
  readonly hasMore: boolean;
  readonly reset?: SyncReset;
}

export interface FeedPageParts {
  readonly store: SyncStore;
  readonly authorize: Authorize;
  readonly principal: Principal | null;
  /** The objects the server syncs, where it knows; all when `undefined`. */
  readonly syncedObjects: readonly string[] | undefined;
  readonly maxPageBytes: number;
  /** What this request wrote itself: not sent back unless the client could not know it. */
  readonly written: readonly OwnWrite[];
}

/** Reads the page after the request's checkpoint; where that is no place of this feed any more, the first page and why. */
export async function readFeedPage(request: PushRequest, parts: FeedPageParts): Promise<FeedPage> {
  const { store, authorize, principal } = parts;
  const objects = wantedObjects(request.objects, parts.syncedObjects);
  const scope = scopeDigest(objects, await authorize.scope?.(principal));
  // One record more than is sent tells whether more follow.
  const limit = request.limit + 1;
  const asked = request.checkpoint?.place ?? 0;
  let page = await store.page({ after: asked, limit, objects });
  let start = findPageStart(request.checkpoint, page.facts, scope);
  if (start.after !== asked) {
    page = await store.page({ after: start.after, limit, objects });
    start = { ...start, since: page.facts.head };
  }
  const selected = selectUpTo(page.records.slice(0, request.limit), parts.maxPageBytes);
  const hasMore = selected.length < page.records.length;
  const last = selected.at(-1);
  const place = hasMore && last ? last.place : page.facts.head;
  const own = suppressedVersions(request, parts.written);
  const changes: SyncServerChange[] = [];
  for (const record of selected) {
    if (own.get(recordKey(record)) === record.version) continue;
    const change = await toChange(record, await permissionOf(record, parts), start);
    if (change) changes.push(change);
  }
  if (scopeDigest(objects, await authorize.scope?.(principal)) !== scope) {
    // A page half under other rights would carry a checkpoint that passes what they hid.
    throw new StoreBusyError('The rights of this caller changed while the page was read.');
  }
  return {
    changes,
    checkpoint: formatCheckpoint(nextCheckpoint(start, place, { epoch: page.facts.epoch, scope })),
    hasMore,
    ...(start.reset ? { reset: start.reset } : {}),
  };
}

/** The checkpoint of a client that asks for no changes: where it stood, or the feed's start. */
export async function standStill(request: PushRequest, store: SyncStore): Promise<Omit<FeedPage, 'changes'>> {
  const { facts } = await store.page({ after: 0, limit: 1, objects: [] });
  const start = findPageStart(request.checkpoint, facts, request.checkpoint?.scope ?? '');
  // What was dropped from the feed is no loss to a client that never reads it.
  if (request.checkpoint && start.reset !== 'epoch') {
    return { checkpoint: formatCheckpoint(request.checkpoint), hasMore: false };
  }
  const checkpoint = { epoch: facts.epoch, place: 0, since: facts.head, scope: '' };
  return {
    checkpoint: formatCheckpoint(checkpoint),
    hasMore: false,
    ...(start.reset ? { reset: start.reset } : {}),
  };
}

function wantedObjects(asked: readonly string[] | undefined, synced: readonly string[] | undefined) {
  if (!asked || !synced) return asked ?? synced;
  return asked.filter((objectName) => synced.includes(objectName));
}

/** 16 bytes of a digest are enough to notice that a client asks for something else than before. */
function scopeDigest(objects: readonly string[] | undefined, rights: string | undefined): string {
  if (objects === undefined && rights === undefined) return '';
  const sorted = objects ? [...new Set(objects)].sort() : null;
  return createHash('sha256')
    .update(JSON.stringify([sorted, rights ?? null]))
    .digest('base64url')
    .slice(0, 22);
}

/** As many records as fit the page, and always one, so that a large record cannot stall the feed. */
function selectUpTo(records: readonly StoredRecord[], maxBytes: number): readonly StoredRecord[] {
  let bytes = 0;
  const end = records.findIndex((record, index) => {
    bytes += utf8Bytes(JSON.stringify(record.data)) + CHANGE_OVERHEAD_BYTES;
    return index > 0 && bytes > maxBytes;
  });
  return end === -1 ? records : records.slice(0, end);
}

/** 512 bytes: what a change carries beside its data, with ids of the largest size. */
const CHANGE_OVERHEAD_BYTES = 512;

/** A protocol-1 client does not read `record` in results, so it gets back what it could not compute. */
function suppressedVersions(request: PushRequest, written: readonly OwnWrite[]): ReadonlyMap<string, number> {
  const versions = new Map<string, number>();
  for (const { state, computable } of written) {
    const key = recordKey(state);
    if (computable || request.protocol === 2) versions.set(key, state.version);
    else versions.delete(key);
  }
  return versions;
}

async function permissionOf(record: StoredRecord, { authorize, principal }: FeedPageParts): Promise<ReadPermission> {
  const { objectName, recordId, data } = record;
  return (await authorize.read?.({ principal, objectName, recordId, record: data })) ?? 'allow';
}

function toChange(record: StoredRecord, permission: ReadPermission, start: PageStart): SyncServerChange | undefined {
  const { objectName, recordId, version, data, origin } = record;
  const common = { objectName, recordId, serverVersion: version, timestamp: new Date(record.changedAt).toISOString() };
  // A walk from the start drops what it does not see, so there is nothing to forget and no id to tell; but what changed
  // since the walk began may have been seen by it before.
  if (permission === 'hide' || (permission === 'forget' && record.place <= start.since)) return undefined;
  if (permission === 'forget' || data === null) return { ...common, operation: 'delete' };
  const operation = version === record.born ? 'create' : 'update';
  return { ...common, operation, data, ...(origin ? { origin } : {}) };
}
