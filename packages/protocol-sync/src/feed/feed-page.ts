/** One page of the feed as a client may see it. */
import { RecordMap, type SyncMutationResult, type SyncReset } from '@objectql/sync-types';
import type { Principal } from '../principal.js';
import type { PushRequest } from '../push/push-request.js';
import type { FeedEnd, FeedStretch, OwnWrite } from '../push/pushed.js';
import type { Authorize } from '../rules/authorize.js';
import { type FeedRecord, type Page, type PageQuery, StoreBusyError, type SyncStore } from '../storage/sync-store.js';
import {
  type Checkpoint,
  findPageStart,
  formatCheckpoint,
  isOfAnotherFeed,
  nextCheckpoint,
  type PageStart,
} from './checkpoint.js';
import { type FeedChange, rememberedInstants, toChange } from './feed-change.js';
import { rightsOf, scopeDigest, wantedObjects } from './feed-scope.js';
import type { PageSize } from './page-size.js';

export interface FeedPage {
  readonly changes: readonly FeedChange[];
  readonly checkpoint: string;
  readonly hasMore: boolean;
  readonly reset?: SyncReset;
}

export interface FeedPageParts {
  readonly store: SyncStore;
  readonly authorize: Authorize;
  readonly principal: Principal | null;
  /** The objects that the server syncs, if it knows them; all when `undefined`. */
  readonly syncedObjects: readonly string[] | undefined;
  readonly pageSize: PageSize;
  /** What this request wrote itself; not sent back unless the client could not know it. */
  readonly written: readonly OwnWrite[];
  /** The results of its mutations, in the order of the request. */
  readonly results: readonly SyncMutationResult[];
  /** Where those writes stand in the feed, if they stand together. */
  readonly stretch?: FeedStretch | undefined;
  /** The feed's head before this request wrote anything. */
  readonly headBefore: number;
  /** What the caller was allowed to read before its mutations were judged; irrelevant if it sent none. */
  readonly rightsBefore?: string | undefined;
  /** The state of the feed when the results were made. */
  readonly end?: FeedEnd | undefined;
}

/**
 * Reads the page after the request's checkpoint; if that is no longer a place of this feed, the first page and why.
 */
export async function readFeedPage(request: PushRequest, parts: FeedPageParts): Promise<FeedPage> {
  const { authorize, principal } = parts;
  const { except = [] } = request;
  const objects = wantedObjects(request, parts.syncedObjects);
  const rights = await rightsOf(authorize, principal);
  const scope = scopeDigest({ objects, except }, rights);
  // If the rights have changed, the client may know from its own writes what it may no longer see.
  const isAsJudged = rights === parts.rightsBefore;
  const alone = isAsJudged ? ownPage(request, parts, scope) : undefined;
  const limit = parts.pageSize.limitFor(request.limit);
  const found = alone ?? (await readPage(request, parts, { objects, scope, limit }));
  const { page } = found;
  const { epoch, head } = page.facts;
  // A walk that begins here has not seen the records that results show: their changes in the meantime must be told.
  const start = { ...found.start, since: Math.min(found.start.since, parts.headBefore) };
  const selected = parts.pageSize.select(page.records.slice(0, limit));
  // Who walks the feed anew forgets what has not come by the walk's end, so that must not be a page which lacks a record.
  const isWalkTorn = page.isTorn === true && start.since > 0;
  const hasMore = selected.length < page.records.length || isWalkTorn;
  const last = selected.at(-1);
  const place = hasMore && last ? last.place : head;
  const wanted = except.length === 0 ? selected : selected.filter(({ objectName }) => !except.includes(objectName));
  // A client that walks the feed anew has computed its own writes from what it could see before.
  const isWalkingAnew = request.checkpoint !== null && start.since > 0;
  const others = isWalkingAnew || !isAsJudged ? wanted : withoutOwn(wanted, suppressedVersions(request, parts));
  const changes = await changesOf(others, start, parts);
  if ((await rightsOf(authorize, principal)) !== rights) {
    // A page read partly under other rights would have a checkpoint beyond records that those rights hid.
    throw new StoreBusyError('The rights of this caller changed while the page was read.');
  }
  return {
    changes,
    checkpoint: formatCheckpoint(nextCheckpoint(start, { epoch, seen: head, scope, place, hasMore })),
    hasMore,
    ...(start.reset ? { reset: start.reset } : {}),
  };
}

/** The checkpoint of a client that asks for no changes: its own, or the feed's start. */
export async function standStill(
  { checkpoint: given }: PushRequest,
  parts: Pick<FeedPageParts, 'store' | 'end'>,
): Promise<Omit<FeedPage, 'changes'>> {
  const { facts } = await pageBehind(given, parts, { after: 0, limit: 1, objects: [] });
  // The client scans nothing, but it is still told what became of its own writes.
  const seen = { epoch: facts.epoch, seen: facts.head };
  const isLost = given !== null && isOfAnotherFeed(given, facts);
  // A client that never reads the feed loses nothing when something is dropped from it.
  if (given && !isLost) return { checkpoint: formatCheckpoint({ ...given, ...seen }), hasMore: false };
  const checkpoint = formatCheckpoint({ ...seen, place: 0, since: facts.head, scope: '' });
  return { checkpoint, hasMore: false, ...(isLost ? { reset: 'epoch' } : {}) };
}

interface PageWanted {
  readonly objects: readonly string[] | undefined;
  readonly scope: string;
  /** At most this many records. */
  readonly limit: number;
}

interface ReadPage {
  readonly page: Page;
  readonly start: PageStart;
}

async function readPage(
  request: PushRequest,
  parts: FeedPageParts,
  { objects, scope, limit: mostRecords }: PageWanted,
): Promise<ReadPage> {
  // One record more than is sent tells whether more follow.
  const limit = mostRecords + 1;
  const asked = request.checkpoint?.place ?? 0;
  const page = await pageBehind(request.checkpoint, parts, { after: asked, limit, objects });
  const start = findPageStart(request.checkpoint, page.facts, scope);
  if (start.after === asked) return { page, start };
  const first = await pageBehind(null, parts, { after: start.after, limit, objects });
  return { page: first, start: { ...start, since: first.facts.head } };
}

/**
 * Reads a page of the feed that the results come from. If a server without those results has taken over meanwhile, the
 * client could not notice, so it has to ask again, and is then told.
 */
async function pageBehind(
  checkpoint: Checkpoint | null,
  { store, end }: Pick<FeedPageParts, 'store' | 'end'>,
  query: PageQuery,
): Promise<Page> {
  const page = await store.page({ ...query, epoch: end?.epoch ?? checkpoint?.epoch });
  if (end && isOfAnotherFeed({ seen: end.head }, page.facts))
    throw new StoreBusyError('The store was restored meanwhile.');
  return page;
}

/**
 * The page of a client that works alone: this request itself wrote everything behind its checkpoint, so nothing has to be
 * read or told. `undefined` for any other client.
 */
function ownPage(request: PushRequest, parts: FeedPageParts, scope: string): ReadPage | undefined {
  // A record adopted from the application took a place too, and the client does not know it.
  if (!parts.stretch?.isOwn || !isToldByResults(request, parts)) return undefined;
  const { facts, places } = parts.stretch;
  const start = findPageStart(request.checkpoint, facts, scope);
  return start.after === facts.head - places ? { page: { facts, records: [] }, start } : undefined;
}

/** Whether the results tell a client everything that its request wrote. */
function isToldByResults({ protocol }: PushRequest, { written, results, authorize }: FeedPageParts): boolean {
  // The results were made under rights that may have changed by now.
  if (authorize.read && authorize.scope && results.some((result) => 'record' in result)) return false;
  // A protocol-1 client does not read `record` in results.
  return protocol === 2 || written.every(({ computable }) => computable);
}

function withoutOwn(records: readonly FeedRecord[], own: RecordMap<number>): readonly FeedRecord[] {
  return records.filter((record) => own.get(record) !== record.version);
}

/** A version that no record has. */
const NO_VERSION = 0;

/** The client's own writes that it knows from the results. */
function suppressedVersions(request: PushRequest, { written, results, authorize }: FeedPageParts): RecordMap<number> {
  const versions = new RecordMap<number>();
  for (const { state, computable } of written) {
    // A protocol-1 client does not read `record` in results, so it gets back what it could not compute, and later
    // writes that build on that.
    const isTold = request.protocol === 2 || (computable && versions.get(state) !== NO_VERSION);
    versions.set(state, isTold ? state.version : NO_VERSION);
  }
  const canRightsChange = authorize.read && authorize.scope;
  for (const [index, item] of request.items.entries()) {
    const result = results[index];
    if (!('mutation' in item) || result?.status !== 'applied') continue;
    const { duplicate, record, serverVersion } = result;
    // What an earlier request wrote is told by the repeated result; a protocol-1 client does not read that either.
    const isTold = duplicate && record !== null && request.protocol === 2;
    if (isTold && serverVersion > (versions.get(item.mutation) ?? NO_VERSION))
      versions.set(item.mutation, serverVersion);
    // The rights under which a result shows a record, or reports it as gone, may have changed by now.
    if (canRightsChange && record !== undefined) versions.delete(item.mutation);
  }
  return versions;
}

/** What the caller is told of the records. */
async function changesOf(
  records: readonly FeedRecord[],
  start: PageStart,
  { authorize: { read }, principal }: FeedPageParts,
): Promise<readonly FeedChange[]> {
  // Asked all at once, so that rules which query a database can use one query for the page.
  const permissions =
    read &&
    (await Promise.all(
      records.map(async ({ objectName, recordId, data }) =>
        read({ principal, objectName, recordId, record: data === null ? null : JSON.parse(data) }),
      ),
    ));
  const told = { start, timestampOf: rememberedInstants() };
  return records.flatMap((record, index) => toChange(record, permissions?.[index] ?? 'allow', told) ?? []);
}
