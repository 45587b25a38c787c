/**
 * One client: one log, one checkpoint and one request at a time, for all objects. Engines are views of it.
 * `sync-state.ts` decides when to talk to the server; `#cycle` is what happens then.
 */
import type { MutationLogEntry, RecordRef, SyncPushResponse } from '@objectql/sync-types';
import { ConflictList, DeadLetterList, fillAttention } from './attention.js';
import { ConflictResolver, type OnConflict } from './conflict-resolver.js';
import { Exchange, type Exchanged } from './exchange.js';
import { LocalRecords } from './local-records.js';
import { MutationLogger } from './mutation-logger.js';
import type { NewMutation } from './new-mutation.js';
import type { ObjectConfigs } from './object-configs.js';
import type { MutationOutcome } from './plan-answer.js';
import type { Platform } from './platform/platform.js';
import { systemPlatform } from './platform/system-platform.js';
import { RecordHolds } from './record-holds.js';
import { Settlements } from './settlements.js';
import { CheckpointMovedError, type ClientStorage } from './storage/client-storage.js';
import { MemoryStorage } from './storage/memory-storage.js';
import { EPOCH_WALK_PREFIX, type StoredAnswer, storeAnswer } from './store-answer.js';
import { Listeners, type SyncEventListener } from './sync-listener.js';
import { INITIAL_STATE, type SyncEvent, type SyncState, transition } from './sync-state.js';
import { type SyncStatus, statusOf } from './sync-status.js';
import { SyncUsageError } from './sync-usage-error.js';
import { type SyncTransport, TransportError } from './transport/transport.js';

export interface SyncClientOptions {
  /** Names this device; stays the same as long as its storage. */
  readonly clientId: string;
  readonly transport: SyncTransport;
  /** Where log and records are kept. Default: memory, gone with the process. */
  readonly storage?: ClientStorage | undefined;
  readonly onConflict?: OnConflict | undefined;
  readonly listeners?: readonly SyncEventListener[] | undefined;
  /** Whose work this is. A storage that holds another user's is not touched. */
  readonly user?: string | undefined;
  readonly platform?: Platform | undefined;
}

/** 3: a server that finds fault with a repaired request every time is not to be asked in a loop. */
const MAX_REPAIRS = 3;

export class SyncClient implements AsyncDisposable {
  readonly log: MutationLogger;
  readonly records: LocalRecords;
  readonly conflicts: ConflictList;
  readonly deadLetters: DeadLetterList;
  readonly listeners: Listeners;
  readonly configs: ObjectConfigs;
  readonly #platform: Platform;
  readonly #storage: ClientStorage;
  readonly #onConflict: OnConflict | undefined;
  readonly #exchange: Exchange;
  readonly #holds: RecordHolds;
  readonly #settlements = new Settlements();
  readonly #statusListeners = new Set<(status: SyncStatus) => void>();
  readonly #stopConnectivity: () => void;
  #state: SyncState = INITIAL_STATE;
  #disarm: () => void = () => {};
  #drain: Promise<SyncPushResponse | null> | undefined;
  #isAskedAgain = false;
  #opened: Promise<void> | undefined;
  #clockSkewMs: number | null = null;
  #received: number | null = null;
  #lastError: string | null = null;

  constructor(options: SyncClientOptions, configs: ObjectConfigs) {
    const { clientId, transport, platform = systemPlatform, storage = new MemoryStorage(), user } = options;
    this.configs = configs;
    this.#platform = platform;
    this.#storage = storage;
    this.#onConflict = options.onConflict;
    this.listeners = new Listeners(options.listeners);
    this.log = new MutationLogger(clientId, { storage, platform, user });
    this.log.onSaveFailed((error) => this.listeners.error(error));
    this.records = new LocalRecords(this.log, storage, (error) => this.listeners.error(error));
    this.#holds = new RecordHolds(platform);
    const attention = {
      log: this.log,
      onRecorded: (mutation: MutationLogEntry) => this.#recorded(mutation),
      onChanged: () => this.#tellStatus(),
      readRecord: async (ref: RecordRef) => (await this.records.get(ref.objectName, ref.recordId))?.data,
    };
    this.conflicts = new ConflictList(attention);
    this.deadLetters = new DeadLetterList(attention);
    this.#exchange = new Exchange({
      log: this.log,
      transport,
      platform,
      isHeld: (key) => this.#holds.isHeld(key),
      batchSizeOf: (objectName) => configs.of(objectName).batchSize,
      pulledObjects: () => configs.pulledObjects(),
    });
    this.#stopConnectivity = platform.onConnectivity((online) => this.#on({ type: online ? 'online' : 'offline' }));
  }

  /** How sync stands now. */
  get status(): SyncStatus {
    return statusOf(this.#state, {
      pending: this.log.size,
      conflicts: this.conflicts.size,
      deadLetters: this.deadLetters.size,
      clockSkewMs: this.#clockSkewMs,
      progress: this.#received === null ? null : { received: this.#received },
      lastError: this.#lastError,
    });
  }

  get isSyncing(): boolean {
    return this.#state.at === 'syncing';
  }

  /** Calls `listener` with the status now and whenever it changes. Returns what stops it. */
  subscribeStatus(listener: (status: SyncStatus) => void): () => void {
    this.#statusListeners.add(listener);
    listener(this.status);
    return () => {
      this.#statusListeners.delete(listener);
    };
  }

  /** Reads what was stored, once. Everything else does so by itself; call it to know early that the storage is fine. */
  open(): Promise<void> {
    this.#opened ??= this.log.load().then(
      (state) => {
        fillAttention(state, this);
        this.records.changed('all');
        this.#tellStatus();
      },
      (error: unknown) => {
        this.#opened = undefined;
        throw error;
      },
    );
    return this.#opened;
  }

  /** Records a mutation; it is sent when the object's debounce allows. */
  record(input: NewMutation): MutationLogEntry {
    this.#refuseClosed();
    this.configs.refuseReadOnly(input.objectName);
    const entry = this.log.append(input);
    this.#recorded(entry);
    return entry;
  }

  /** The version a change of this record is based on: what the user sees, unless that is of a feed that is no more. */
  async baseVersionOf(ref: RecordRef): Promise<number | null> {
    const [base] = await this.#storage.getRecords([{ objectName: ref.objectName, recordId: ref.recordId }]);
    const { walk } = this.log.meta;
    const isOfLostFeed = walk?.startsWith(EPOCH_WALK_PREFIX) && base?.walk !== walk;
    return isOfLostFeed ? null : (base?.version ?? null);
  }

  /**
   * Sends and receives all there is, now. Resolves with the last answer, or with `null` when that failed or the client
   * is paused; a failure is told to `onSyncError` and tried again by itself. Never rejects.
   */
  async sync(): Promise<SyncPushResponse | null> {
    if (this.#state.at === 'syncing') this.#isAskedAgain = true;
    else this.#on({ type: 'requested' });
    return (await this.#drain) ?? null;
  }

  /** Forgets a scheduled sync; what is pending stays and goes with the next one. */
  cancelScheduled(): void {
    if (this.#state.at === 'waiting' && this.#state.reason === 'debounce') this.#disarm();
  }

  /** The outcome of a mutation: when it is settled, or at once when it waits for the user. */
  async settled(id: string): Promise<MutationOutcome> {
    await this.open();
    const parked = this.conflicts.find(id);
    if (parked) return { status: 'conflict', conflict: parked.conflict };
    const dead = this.deadLetters.find(id);
    if (dead) return { status: 'rejected', code: dead.code, reason: dead.reason };
    if (this.log.entry(id)) return this.#settlements.wait(id);
    const known = this.#settlements.recall(id);
    if (known) return known;
    throw new SyncUsageError('UNKNOWN_ID', `No mutation with the id ${id} is pending or waits for a decision.`);
  }

  /** Sends nothing until `resume`. */
  pause(): void {
    this.#on({ type: 'paused' });
    this.#exchange.abort();
  }

  /** Goes on after `pause`, or after the user has signed in again. */
  resume(): void {
    this.#on({ type: 'resumed' });
  }

  /** Ends the request under way, makes what was recorded durable, and releases storage and timers. */
  async close(): Promise<void> {
    if (this.#state.at === 'closed') return;
    this.#on({ type: 'closed' });
    this.#stopConnectivity();
    this.#exchange.abort();
    await this.#drain;
    try {
      await this.log.flush();
    } finally {
      await this.log.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #recorded(mutation: MutationLogEntry): void {
    const { debounceMs } = this.configs.of(mutation.objectName);
    this.records.changed([mutation]);
    this.#on({ type: 'recorded', now: this.#platform.now(), debounceMs });
  }

  #on(event: SyncEvent): void {
    const { state, effect } = transition(this.#state, event);
    this.#state = state;
    switch (effect.do) {
      case 'sync':
        this.#disarm();
        this.#drain = this.#runDrain();
        break;
      case 'arm':
        this.#disarm();
        this.#disarm = this.#platform.setTimer(() => this.#on({ type: 'due' }), effect.until - this.#platform.now());
        break;
      case 'disarm':
        this.#disarm();
        break;
    }
    this.#tellStatus();
  }

  /** Cycles until nothing is left to send or receive; how it ends is the machine's next event. */
  async #runDrain(): Promise<SyncPushResponse | null> {
    try {
      // Entries recorded in the same turn belong to this sync.
      await Promise.resolve();
      this.listeners.tell((listener) => listener.onSyncStart?.());
      const answer = await this.#cycleUntilDrained();
      this.#lastError = null;
      this.#received = null;
      this.#on({ type: 'drained', now: this.#platform.now(), heldUntil: this.#holds.nextExpiry() });
      if (answer) this.listeners.tell((listener) => listener.onSyncComplete?.(answer));
      return answer;
    } catch (error) {
      this.#received = null;
      this.#lastError = error instanceof Error ? error.message : String(error);
      this.#on(this.#eventOf(error));
      this.listeners.error(error);
      return null;
    }
  }

  async #cycleUntilDrained(): Promise<SyncPushResponse | null> {
    let answer: SyncPushResponse | null = null;
    let repairs = 0;
    do {
      this.#isAskedAgain = false;
      try {
        answer = await this.#cycle();
        repairs = 0;
      } catch (error) {
        repairs += 1;
        if (repairs > MAX_REPAIRS || !(await this.#repair(error))) throw error;
        this.#isAskedAgain = true;
      }
      // A client that was paused or closed meanwhile stores what it got and asks no more.
    } while (this.#state.at === 'syncing' && (this.#isAskedAgain || answer?.hasMore || this.#exchange.hasWork()));
    return answer;
  }

  /** One request and all it brings. */
  async #cycle(): Promise<SyncPushResponse | null> {
    await this.open();
    await this.log.flush();
    if (!this.#exchange.hasWork() && !this.configs.pullsAnything()) return null;
    const exchanged = await this.#exchange.run();
    const stored = await storeAnswer(exchanged, {
      log: this.log,
      storage: this.#storage,
      platform: this.#platform,
      listeners: this.listeners,
      resolverOf: (objectName) =>
        new ConflictResolver({ strategy: this.configs.of(objectName).strategy, onConflict: this.#onConflict }),
      keepsChangesOf: (objectName) => this.configs.keepsChangesOf(objectName),
      othersPassed: (id) => this.#holds.othersPassed(id),
    });
    this.#takeOver(exchanged, stored);
    return exchanged.answer;
  }

  /** Tells everybody what is durable now. */
  #takeOver({ sent, answer, clockSkewMs }: Exchanged, { plan, successors, conflicts, isWalkOver }: StoredAnswer): void {
    this.#clockSkewMs = clockSkewMs ?? this.#clockSkewMs;
    if (answer.hasMore || this.#received !== null) this.#received = (this.#received ?? 0) + answer.serverChanges.length;
    this.#holds.learn(plan, sent.length);
    this.conflicts.put(plan.batch.putConflicts ?? []);
    this.deadLetters.put(plan.batch.putDeadLetters ?? []);
    for (const [id, successor] of successors) this.#settlements.follow(id, successor);
    for (const { of, conflict } of plan.followUps) {
      if (successors.has(of.mutation.id)) continue;
      const serverVersion = conflict.serverVersion ?? 0;
      this.#settlements.settle(of.mutation.id, { status: 'applied', serverVersion, droppedFields: [] });
    }
    for (const [id, outcome] of plan.outcomes) this.#settlements.settle(id, outcome);
    this.records.changed(isWalkOver ? 'all' : plan.touched);
    if (conflicts.length > 0) this.listeners.tell((listener) => listener.onConflict?.(conflicts));
    const dropped = sent.flatMap(({ mutation }) => {
      const outcome = plan.outcomes.get(mutation.id);
      const droppedFields = outcome?.status === 'applied' ? outcome.droppedFields : followUpDrops(mutation.id);
      return droppedFields.length > 0 ? [{ mutation, droppedFields }] : [];
    });
    if (dropped.length > 0) this.listeners.tell((listener) => listener.onDropped?.(dropped));
    this.#tellStatus();

    function followUpDrops(id: string): readonly string[] {
      return plan.followUps.find(({ of }) => of.mutation.id === id)?.resolution.droppedFields ?? [];
    }
  }

  /** Mends what the server found wrong with the request as a whole; false when that needs time or the user. */
  async #repair(error: unknown): Promise<boolean> {
    // Somebody else stored an answer first: this one is dropped, and asked for again from where that one ended.
    if (error instanceof CheckpointMovedError) return true;
    if (!(error instanceof TransportError) || error.failure.type !== 'refused') return false;
    const { code, status } = error.failure;
    if (code === 'LOG_FORKED') {
      await this.log.startNewLog();
      return true;
    }
    if (code === 'INVALID_CHECKPOINT') {
      await this.log.commit({}, { checkpoint: null, walk: this.#platform.newId() });
      return true;
    }
    if (code !== 'TOO_LARGE' && status !== 413) return false;
    const tooLarge = this.#exchange.shrink();
    if (!tooLarge) return this.log.size > 0;
    const { mutation } = tooLarge;
    const letter = {
      id: mutation.id,
      mutation,
      code: 'TOO_LARGE' as const,
      reason: error.message,
      deadAt: this.#platform.now(),
    };
    await this.log.commit({ removeEntries: [mutation.id], putDeadLetters: [letter] });
    this.deadLetters.put([letter]);
    this.#settlements.settle(mutation.id, { status: 'rejected', code: letter.code, reason: letter.reason });
    this.records.changed([mutation]);
    return true;
  }

  #eventOf(error: unknown): SyncEvent {
    if (error instanceof SyncUsageError && error.code === 'WRONG_USER') return { type: 'refused', why: 'wrong-user' };
    const failure = error instanceof TransportError ? error.failure : undefined;
    if (failure?.type === 'refused') {
      if (failure.status === 401 || failure.code === 'UNAUTHENTICATED')
        return { type: 'refused', why: 'unauthenticated' };
      if (failure.code === 'WRONG_PRINCIPAL') return { type: 'refused', why: 'wrong-user' };
    }
    return {
      type: 'failed',
      now: this.#platform.now(),
      isOnline: this.#platform.isOnline(),
      retryAfterMs: failure?.type === 'refused' ? failure.retryAfterMs : undefined,
      jitter: this.#platform.random(),
    };
  }

  #tellStatus(): void {
    if (this.#statusListeners.size === 0) return;
    const { status } = this;
    for (const listener of this.#statusListeners) listener(status);
  }

  #refuseClosed(): void {
    if (this.#state.at === 'closed') throw new SyncUsageError('CLOSED', 'The client is closed: nothing was recorded.');
  }
}
