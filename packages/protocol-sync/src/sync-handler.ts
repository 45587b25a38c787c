/**
 * The server's side of sync: takes pushes and pulls, and decides nothing itself. HTTP is above it, the store below.
 *
 *   push/    from a request to one outcome for each mutation       rules/     what the application allows and configures
 *   feed/    which changes a client is sent, and from where on     records/   the application's records, and their versions
 */
import type { RecordId, SyncPushResponse } from '@objectql/sync-types';
import { type AnswerParts, answerRequest } from './answer-request.js';
import { type Answer, type AnswerText, answerToSend, answerValue } from './feed/answer-text.js';
import { FeedWatch, type FeedWatcher } from './feed/feed-watch.js';
import { PageSize } from './feed/page-size.js';
import { checkPrincipal, type SyncContext } from './principal.js';
import { KeyedLock } from './push/keyed-lock.js';
import { checkpointOf, type PushRequest, parsePull, parsePush } from './push/push-request.js';
import type { RecordChange } from './records/record-change.js';
import { type RecordResolver, storeResolver } from './records/record-resolver.js';
import {
  getSyncedRecord,
  type ListQuery,
  listSyncedRecords,
  type RecordPage,
  type SyncedRecord,
} from './records/synced-record.js';
import { type RecordedChange, takeChanges } from './records/take-changes.js';
import type { ServerLimits } from './server-limits.js';
import type { SyncStore } from './storage/sync-store.js';
import { StoreGate } from './store-gate.js';
import { type HandlerSettings, type SyncHandlerOptions, settingsOf } from './sync-handler-options.js';

/** 500 rows a slice: a few milliseconds, so that writers never wait long for pruning. */
const PRUNE_SLICE_ROWS = 500;

/**
 * Answers pushes and pulls. What it reports as applied is committed; a refusal is a result or a `SyncRequestError`.
 *
 * ```ts
 * import { createSyncEndpoint, MemoryStore } from '@objectql/protocol-sync';
 *
 * const handler = new SyncHandler({ store: new MemoryStore(), strategy: 'last-write-wins' });
 * const endpoint = createSyncEndpoint({ handler }); // serves it over HTTP
 * await handler.recordChange({ objectName: 'task', recordId: 't1', operation: 'create', data: { title: 'Door' } });
 * (await handler.getRecord('task', 't1'))?.version; // 1
 * ```
 */
export class SyncHandler implements AsyncDisposable {
  /** Where versions, feed and ledger are; it opens with the first request. */
  readonly store: SyncStore;
  /** The limits that apply. */
  readonly limits: ServerLimits;
  readonly #settings: HandlerSettings;
  /** What every request needs. */
  readonly #parts: Omit<AnswerParts, 'resolver' | 'context'>;
  readonly #gate: StoreGate;
  readonly #feedWatch: FeedWatch;

  /** Throws `TypeError` for an option that is unknown or makes no sense. */
  constructor(options: SyncHandlerOptions = {}) {
    const settings = settingsOf(options);
    const { store, limits, platform } = settings;
    this.store = store;
    this.limits = limits;
    this.#settings = settings;
    this.#gate = new StoreGate(store);
    this.#parts = {
      settings,
      recordLock: new KeyedLock(),
      isClosed: () => this.#gate.isClosed,
      pageSize: new PageSize(limits.maxPageBytes),
    };
    this.#feedWatch = new FeedWatch({ store, platform });
  }

  /**
   * Applies the mutations of one push and answers their outcomes with the next page of the feed: for a route of your
   * own, with the parsed body. It does not find out who asks: pass `{ principal }` as the context. What it reports as
   * applied is committed. Throws `SyncRequestError` when it refuses the request as a whole: nothing was executed then.
   * After `BUSY`, or any other error, some of it may have been; sending it again is safe.
   */
  async handlePush(
    request: unknown,
    resolver: RecordResolver = this.#settings.resolver,
    context: SyncContext = {},
  ): Promise<SyncPushResponse> {
    return answerValue(await this.#answer(parsePush(request, this.limits), resolver, context));
  }

  /** Answers the next page of the feed. Throws `SyncRequestError` when the request is refused. */
  async handlePull(request: unknown, context: SyncContext = {}): Promise<SyncPushResponse> {
    return answerValue(await this.#answer(parsePull(request, this.limits), storeResolver, context));
  }

  /** The same as `handlePush`, answered as JSON text: stored records are sent without being parsed. */
  async answerPush(
    request: unknown,
    resolver: RecordResolver = this.#settings.resolver,
    context: SyncContext = {},
  ): Promise<AnswerText> {
    return answerToSend(await this.#answer(parsePush(request, this.limits), resolver, context));
  }

  /** The same as `handlePull`, answered as JSON text. */
  async answerPull(request: unknown, context: SyncContext = {}): Promise<AnswerText> {
    return answerToSend(await this.#answer(parsePull(request, this.limits), storeResolver, context));
  }

  /**
   * Tells `watcher` once at the beginning, and whenever there may be something new to pull for a client that has
   * `checkpoint`, whichever process committed it. Returns a function that stops it; `close` stops it too. Throws
   * `SyncRequestError`.
   */
  async watch(checkpoint: string | null, watcher: Omit<FeedWatcher, 'scope'>): Promise<() => void> {
    const scope = checkpointOf(checkpoint)?.scope ?? '';
    return this.#gate.serve(() =>
      this.#feedWatch.add({
        scope,
        onPoke: (poked) => this.#tellWatcher(() => watcher.onPoke(poked)),
        onEnd: () => this.#tellWatcher(() => watcher.onEnd()),
      }),
    );
  }

  /**
   * Versions a write that was made past sync, so that it reaches every device and meets offline edits as a conflict.
   * Throws `TypeError` when the change is malformed or its object is not synced, and `RangeError` when the record is
   * too large; nothing is stored then.
   */
  async recordChange(change: RecordChange): Promise<RecordedChange> {
    const [recorded] = await this.#takeChanges([change], () => 'recordChange: ');
    // One change gets exactly one answer.
    return recorded as RecordedChange;
  }

  /**
   * The same for up to 10,000 writes and 32 MiB of records in one transaction, in their order: takes all of them, or none
   * when it throws. Pushes wait until it is done, so pass 1,000 at a time unless you need more.
   */
  async recordChanges(changes: readonly RecordChange[]): Promise<readonly RecordedChange[]> {
    return this.#takeChanges(changes, (index) => `recordChanges: change ${index}: `);
  }

  /**
   * The record as it is in the store, whoever may read it, or `undefined` when there is none. Waits for a write of it
   * that is under way. If you keep records in your own tables, read those instead. Throws `TypeError` for an object
   * that is not synced.
   */
  async getRecord(objectName: string, recordId: RecordId): Promise<SyncedRecord | undefined> {
    this.#refuseUnsynced(objectName, 'getRecord: ');
    await this.#gate.open();
    return getSyncedRecord(this.store, { objectName, recordId });
  }

  /**
   * One page of an object's records as they are in the store, whoever may read them. A record that changes while you
   * read page after page comes again, and none is left out. Throws `TypeError` for an object that is not synced.
   */
  async listRecords(objectName: string, query: ListQuery = {}): Promise<RecordPage> {
    this.#refuseUnsynced(objectName, 'listRecords: ');
    await this.#gate.open();
    return listSyncedRecords(this.store, objectName, query);
  }

  /** Drops tombstones and outcomes older than the retention, slice by slice; answers how many rows were removed. */
  async prune(): Promise<{ readonly removed: number }> {
    await this.#gate.open();
    // A retention longer than the time since 1970 keeps everything.
    const before = Math.max(0, this.#settings.platform.now() - this.#settings.retentionMs);
    let removed = 0;
    for (;;) {
      const slice = await this.store.prune({ before, limit: PRUNE_SLICE_ROWS });
      removed += slice.removed;
      // If the server closes, the next one prunes the rest.
      if (slice.removed < PRUNE_SLICE_ROWS || this.#gate.isClosed) return { removed };
    }
  }

  /** Ends the streams and closes the store. Later requests are refused as `BUSY`, so that clients come again. */
  async close(): Promise<void> {
    const closed = this.#gate.close();
    this.#feedWatch.close();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #answer(request: PushRequest, resolver: RecordResolver, context: SyncContext): Promise<Answer> {
    if (context.principal) checkPrincipal(context.principal);
    return this.#gate.serve(() => answerRequest(request, { ...this.#parts, resolver, context }));
  }

  /** A watcher that fails, at once or later, does not keep the others from being told. */
  #tellWatcher(tell: () => unknown): void {
    const message = 'Who watches the feed failed at what it was told. Stop watching once nobody listens any more.';
    new Promise((resolve) => resolve(tell())).catch((cause: unknown) =>
      this.#settings.onWarning({ code: 'WATCHER_FAILED', message, cause }),
    );
  }

  async #takeChanges(
    changes: readonly RecordChange[],
    whereOf: (index: number) => string,
  ): Promise<readonly RecordedChange[]> {
    await this.#gate.open();
    return takeChanges(changes, {
      store: this.store,
      now: this.#settings.platform.now(),
      maxRecordBytes: this.limits.maxRecordBytes,
      refuseUnsynced: (objectName, where) => this.#refuseUnsynced(objectName, where),
      whereOf,
    });
  }

  #refuseUnsynced(objectName: string, where: string): void {
    if (this.#settings.rulesOf(objectName)) return;
    throw new TypeError(`${where}${objectName} is not synced here. Set enabled: true in its sync block.`);
  }
}
