/** The way of one request: its mutations are applied, the feed is read behind them, and both make the answer. */
import type { Answer } from './feed/answer-text.js';
import { type FeedPage, type FeedPageParts, readFeedPage, standStill } from './feed/feed-page.js';
import { rightsOf } from './feed/feed-scope.js';
import type { PageSize } from './feed/page-size.js';
import type { SyncContext } from './principal.js';
import { printable } from './printable.js';
import { applyOneByOne } from './push/apply-one-by-one.js';
import { applyTogether } from './push/apply-together.js';
import { givingWay } from './push/give-way.js';
import { hideUnreadable } from './push/hide-unreadable.js';
import type { JudgeRules } from './push/judge.js';
import type { KeyedLock } from './push/keyed-lock.js';
import type { PushRequest } from './push/push-request.js';
import { NOTHING_PUSHED, type Pushed } from './push/pushed.js';
import { ResolverCaller } from './records/call-resolver.js';
import type { RecordResolver } from './records/record-resolver.js';
import type { HandlerSettings } from './sync-handler-options.js';

export interface AnswerParts {
  readonly settings: HandlerSettings;
  readonly resolver: RecordResolver;
  readonly context: SyncContext;
  /** Keeps two pushes of this process from writing one record at the same time. */
  readonly recordLock: KeyedLock;
  /** True once the server closes, which may be in the middle of a push. */
  readonly isClosed: () => boolean;
  readonly pageSize: PageSize;
}

/** Answers a push; a pull is one without mutations. Throws `StoreBusyError` if the same request is worth another try. */
export async function answerRequest(request: PushRequest, parts: AnswerParts): Promise<Answer> {
  const { rulesOf, authorize, limits, platform } = parts.settings;
  const { principal = null } = parts.context;
  const rules = { rulesOf, authorize, principal, maxRecordBytes: limits.maxRecordBytes };
  const rightsBefore = request.items.length > 0 ? await rightsOf(authorize, principal) : undefined;
  const pushed = await push(request, rules, parts);
  const page = await readPage(request, { ...pushed, rightsBefore }, parts);
  const results = await hideUnreadable(request, pushed, rules);
  return {
    protocol: 2,
    results: [...results],
    serverChanges: page.changes,
    checkpoint: page.checkpoint,
    hasMore: page.hasMore,
    serverTime: new Date(platform.now()).toISOString(),
    limits: { maxBodyBytes: limits.maxBodyBytes, maxMutations: limits.maxMutations },
    ...(page.reset ? { reset: page.reset } : {}),
  };
}

async function push(request: PushRequest, rules: JudgeRules, parts: AnswerParts): Promise<Pushed> {
  if (request.items.length === 0) return NOTHING_PUSHED;
  const { resolver, recordLock, isClosed } = parts;
  const { store, platform, onWarning, limits } = parts.settings;
  const { resolverTimeoutMs: timeoutMs, pushBudgetMs } = limits;
  const { principal } = rules;
  const applyParts = {
    store,
    resolver,
    caller: new ResolverCaller(resolver, { platform, timeoutMs, principal, signal: parts.context.signal }),
    rules,
    now: () => platform.now(),
    deadline: platform.now() + pushBudgetMs,
    giveWay: givingWay(platform),
    onFailure: (cause: unknown, mutationId: string) =>
      onWarning({ code: 'WRITE_FAILED', message: `Mutation ${printable(mutationId)} could not be applied.`, cause }),
  };
  if (resolver.transactional) return applyTogether(request, applyParts);
  // Twice what a write may take: for that long another process may still be making an announced write.
  return applyOneByOne(request, { ...applyParts, recordLock, isClosed, intentLeaseMs: 2 * timeoutMs });
}

async function readPage(
  request: PushRequest,
  pushed: Pushed & Pick<FeedPageParts, 'rightsBefore'>,
  { settings, context: { principal = null }, pageSize }: AnswerParts,
): Promise<FeedPage> {
  const { store, authorize } = settings;
  const syncedObjects = settings.syncedObjects();
  const page = request.pull
    ? await readFeedPage(request, { store, authorize, principal, syncedObjects, pageSize, ...pushed })
    : { changes: [], ...(await standStill(request, { store, end: pushed.end })) };
  if (page.reset === 'epoch') warnOfReset(request, settings);
  return page;
}

function warnOfReset({ clientId, checkpoint }: PushRequest, { onWarning }: HandlerSettings): void {
  const message =
    `Client ${printable(clientId)} has seen the feed up to place ${checkpoint?.seen} of an epoch that this feed does not contain so far: ` +
    'the store was restored, or the client comes from another server. It starts over, and sends its pending changes again.';
  onWarning({ code: 'CHECKPOINT_AHEAD', message });
}
