/**
 * One client: one log, one checkpoint and one sync at a time, for all objects. Engines are views of it.
 * A mutation passes through these folders in this order:
 *
 *   records/   what the user sees and changes      answer/      what an answer changes, made durable together
 *   log/       what was recorded, until settled    conflicts/   what becomes of a conflict
 *   cycle/     when to sync, and what one does     waiting/     conflicts and dead letters left to the user
 */
import type { MutationLogEntry, SyncPushResponse } from '@objectql/sync-types';
import { AnswerIntake } from './answer/answer-intake.js';
import type { MutationOutcome } from './answer/mutation-outcome.js';
import type { OnConflict } from './conflicts/conflict-resolver.js';
import { Exchange } from './cycle/exchange.js';
import type { FailuresOfOne } from './cycle/failures-alone.js';
import { SyncCycle } from './cycle/sync-cycle.js';
import { SyncDriver } from './cycle/sync-driver.js';
import { Listeners } from './listeners/listeners.js';
import { type IsSame, Subscribers } from './listeners/subscribers.js';
import type { SyncEventListener } from './listeners/sync-listener.js';
import type { LiveClient, LiveUpdates, StartLive } from './live/live-port.js';
import { ClientLog } from './log/client-log.js';
import type { MadeBefore } from './log/log-entry.js';
import type { LogObserver } from './log/log-observer.js';
import type { CheckedMutation } from './log/new-mutation.js';
import type { ObjectConfigs } from './object-configs.js';
import type { Platform } from './platform/platform.js';
import { systemPlatform } from './platform/system-platform.js';
import { LocalRecords } from './records/local-records.js';
import type { ClientStorage } from './storage/client-storage.js';
import { MemoryStorage } from './storage/memory-storage.js';
import { type SyncFacts, type SyncStatus, statusOf } from './sync-status.js';
import { SyncUsageError } from './sync-usage-error.js';
import type { Driver, TabGroup, Tabs } from './tabs/tab-group.js';
import type { SyncTransport } from './transport/transport.js';
import { ConflictList } from './waiting/conflict-list.js';
import { DeadLetterList } from './waiting/dead-letter-list.js';

/** What every client takes. */
export interface SyncClientOptions {
  /**
   * Names this device, in at most 128 bytes. Make it once, with `systemPlatform.newId()`, and keep it beside the
   * storage.
   */
  readonly clientId: string;
  /** Carries requests to the server: `httpTransport({ url })`, or anything with `push(request)`. */
  readonly transport: SyncTransport;
  /**
   * Where log and records are kept, e.g. `new SqliteStorage(database)` or `new IndexedDbStorage('my-app')`. Default:
   * memory, gone with the process.
   */
  readonly storage?: ClientStorage | undefined;
  /** Lets the clients of several tabs share the storage: `sharedTabs()` of `@objectql/plugin-sync/tabs`. */
  readonly tabs?: Tabs | undefined;
  /**
   * Decides the conflicts that no strategy decides: returns the merged record, or `undefined` to leave a conflict to the
   * user. Default: all are left to the user.
   */
  readonly onConflict?: OnConflict | undefined;
  /** Hear of each sync, e.g. `[{ onSyncError: (error) => report(error) }]`. */
  readonly listeners?: readonly SyncEventListener[] | undefined;
  /** Whose work this is. A storage that holds another user's is not touched: the status then says `needs-auth`. */
  readonly user?: string | undefined;
  /** Learns of others' changes at once: `liveUpdates()`. Default: they come with each sync. */
  readonly live?: StartLive | undefined;
  /** Clock, randomness, timers and connectivity, for tests. Default: the system's. */
  readonly platform?: Platform | undefined;
}

/** What the engines of a plugin share, for all objects: `plugin.client`. Apps use its status, lists and `settled`. */
export class SyncClient implements AsyncDisposable {
  readonly log: ClientLog;
  readonly records: LocalRecords;
  /** Conflicts of all objects that wait for the user. */
  readonly conflicts: ConflictList;
  /** Refused mutations of all objects that wait for the user. */
  readonly deadLetters: DeadLetterList;
  readonly listeners: Listeners;
  readonly configs: ObjectConfigs;
  /** What carries requests. May be replaced, for instance to watch them: the next request goes through the new one. */
  transport: SyncTransport;
  readonly #intake: AnswerIntake;
  readonly #cycle: SyncCycle;
  readonly #driver: Driver;
  readonly #group: TabGroup | undefined;
  readonly #subscribers: Subscribers<SyncStatus>;
  readonly #live: LiveUpdates | undefined;
  #recordings: Promise<unknown> = Promise.resolve();
  #lastError: unknown = null;
  #closed: Promise<void> | undefined;
  #isStatusQuiet = false;

  constructor(options: SyncClientOptions, configs: ObjectConfigs) {
    const { clientId, transport, platform = systemPlatform, user, onConflict } = options;
    const ownStorage: ClientStorage = options.storage ?? new MemoryStorage();
    const group = options.tabs?.join({ storage: ownStorage, platform });
    const storage = group?.storage ?? ownStorage;
    const log = new ClientLog({ clientId, storage, platform, user });
    const listeners = new Listeners(platform, (error) => this.#failed(error));
    for (const listener of options.listeners ?? []) listeners.add(listener);
    this.log = log;
    this.listeners = listeners;
    this.configs = configs;
    this.transport = transport;
    this.#group = group;
    this.#subscribers = new Subscribers(
      () => this.status,
      (error) => this.#statusListenerFailed(error),
    );
    // The first watcher of records asks what the server has; live updates ask by themselves.
    let asksFirst = !options.live;
    // Each part takes what its own interface names.
    const parts = {
      log,
      storage,
      platform,
      configs,
      listeners,
      onConflict,
      transport: () => this.transport,
      onChanged: () => this.#tellStatus(),
      onRecorded: (mutation: MutationLogEntry) => this.#recorded(mutation),
      onSettled: group?.tellSettled.bind(group),
      onWatched: () => {
        if (asksFirst) this.#schedule(0);
        asksFirst = false;
      },
    };
    const records = new LocalRecords(parts);
    const conflicts = new ConflictList(parts);
    const deadLetters = new DeadLetterList(parts);
    const intake = new AnswerIntake({ ...parts, records, conflicts, deadLetters });
    const cycle = new SyncCycle({ ...parts, intake, exchange: new Exchange(parts) });
    const driver = new SyncDriver({
      ...parts,
      cycle,
      onState: () => {
        this.#live?.follow();
        this.#tellStatus();
      },
      onCompleted: (answer) => this.#completed(answer),
    });
    this.records = records;
    this.conflicts = conflicts;
    this.deadLetters = deadLetters;
    this.#intake = intake;
    this.#cycle = cycle;
    const schedule = () => this.#scheduleUnsent();
    this.#driver = group?.drive({ ...parts, intake, driver, schedule, facts: () => this.#facts() }) ?? driver;
    log.observe(this.#logObserver());
    ownStorage.onLost?.(() => log.probe());
    this.#live = options.live?.(this.#liveClient(driver, platform));
    this.#live?.follow();
  }

  /** Passes on what happens to the log. */
  #logObserver(): LogObserver {
    return {
      onSaveFailed: this.listeners.report,
      onSaved: () => this.#tellStatus(),
      onLoaded: ({ entries }) => {
        if (entries.length > 0) this.#schedule(0);
        this.#intake.tellReread([]);
      },
      onForeign: () => this.#driver.dispatch({ type: 'refused', why: 'wrong-user' }),
      onRemoved: (ids) => {
        this.#intake.conclude(ids);
        this.records.changed('all');
      },
      onWaiting: () => {
        this.conflicts.tell();
        this.deadLetters.tell();
      },
      onReread: () => {
        this.#intake.tellReread();
        this.#scheduleUnsent();
      },
    };
  }

  /**
   * The client as its live updates see it. Of several tabs, only the leader has a stream: the drivers of the others
   * rest.
   */
  #liveClient(driver: SyncDriver, platform: Platform): LiveClient {
    const client = this;
    return {
      platform,
      get transport() {
        return client.transport;
      },
      isPulling: this.configs.isPulling,
      state: () => driver.state,
      checkpoint: () => this.log.meta.checkpoint,
      dispatch: (event) => driver.dispatch(event),
      onChanged: () => this.#tellStatus(),
    };
  }

  /** How sync stands now. */
  get status(): SyncStatus {
    const own = this.#facts();
    return statusOf(this.#driver.state, {
      pending: this.log.pending.size,
      conflicts: this.conflicts.size,
      deadLetters: this.deadLetters.size,
      isStorageFailing: this.log.isFailing,
      ...(this.#group?.facts(own) ?? own),
    });
  }

  /** Calls `listener` with the status now and after each change. Returns what stops it. */
  subscribeStatus(listener: (status: SyncStatus) => void | Promise<void>, isSame?: IsSame): () => void {
    this.log.load().catch(this.listeners.report);
    return this.#subscribers.add(listener, isSame);
  }

  /**
   * Reads the storage, once; work that an earlier process left pending is then sent. Every other method opens the
   * storage by itself: call this one to know early whether the storage works.
   */
  async open(): Promise<void> {
    await this.log.load();
  }

  /**
   * Records a mutation; it is sent when the object's debounce allows. Throws `SyncUsageError` when it is not allowed. A
   * mutation `made` before keeps its id and time, so the server applies it once even if it is recorded twice.
   */
  record(input: CheckedMutation, made?: MadeBefore): MutationLogEntry {
    if (this.#driver.state.at === 'closed')
      throw new SyncUsageError('CLOSED', 'The client is closed: nothing was recorded.');
    const refusal = this.configs.refusalOf(input.objectName);
    if (refusal) throw refusal;
    const mutation = this.log.append(input, made);
    this.#recorded(mutation);
    return mutation;
  }

  /**
   * Runs `work`, which looks something up and then calls `record`; `close` waits for it. Between the two, `work` must
   * await `before`: then mutations are recorded in the order of the calls, whatever order a storage answers in.
   */
  recording<T>(work: (before: Promise<unknown>) => Promise<T>): Promise<T> {
    const recorded = work(this.#recordings);
    this.#recordings = recorded.catch(() => {});
    return recorded;
  }

  /**
   * Sends and receives all there is, now, including what was recorded before the call. Resolves with the whole answer,
   * or with `null` when sync failed, is paused or disabled, or when there was nothing to ask. A failure goes to
   * `onSyncError` and into the status, and sync tries again by itself. Never rejects.
   */
  sync(): Promise<SyncPushResponse | null> {
    return this.#driver.request();
  }

  /**
   * Cancels a scheduled sync. Pending mutations stay, and go with the next mutation, `sync()` or return of the network.
   */
  cancelScheduled(): void {
    this.#driver.dispatch({ type: 'cancelled' });
  }

  /**
   * The outcome of a pending mutation of this process or an earlier one; at once when it waits for the user. Rejects
   * with `SyncUsageError` `UNKNOWN_ID` when nobody will learn it, as after the mutation was taken out of the log.
   */
  async settled(id: string): Promise<MutationOutcome> {
    await this.log.load();
    return (this.#group ?? this.#intake).outcomeOf(id);
  }

  /**
   * How often a pending mutation got no answer though it went alone, and the last error; `undefined` when it always got
   * one. Counted by the client that sends, from its start.
   */
  failuresAlone(id: string): FailuresOfOne | undefined {
    return this.#cycle.failuresAlone.of(id);
  }

  /** Sends nothing until `resume`. Gives up the request under way, whose outcome the next sync learns. */
  pause(): void {
    this.#driver.dispatch({ type: 'paused' });
  }

  /** Goes on after `pause`, or after the user has signed in again; without a network, as soon as there is one. */
  resume(): void {
    this.#driver.dispatch({ type: 'resumed' });
  }

  /** Ends the request under way, makes durable what was or is being recorded, and releases storage and timers. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#recordings;
    this.listeners.close();
    this.records.close();
    await this.#driver.close();
    this.#intake.close();
    await this.log.close().finally(() => this.#group?.leave());
  }

  #recorded(mutation: MutationLogEntry): void {
    this.records.changed([mutation]);
    this.#schedule(this.configs.of(mutation.objectName).debounceMs);
  }

  #schedule(debounceMs: number): void {
    this.#driver.dispatch({ type: 'recorded', debounceMs });
  }

  /** Also sends what another tab recorded. */
  #scheduleUnsent(): void {
    const { unsentDebounceMs } = this.#cycle.unsent();
    if (unsentDebounceMs !== null) this.#schedule(unsentDebounceMs);
  }

  #facts(): SyncFacts {
    const { progress, clockSkewMs } = this.#intake;
    const { message: lastError = null, code } = Object(this.#lastError) as Partial<CodedError>;
    // A listener's error may carry anything, and the status goes to other tabs.
    const lastErrorCode = typeof code === 'string' || typeof code === 'number' ? code : null;
    return { clockSkewMs, live: this.#live?.status ?? 'off', progress, lastError, lastErrorCode };
  }

  #completed(answer: SyncPushResponse | null): void {
    // What others had to go before is not in order because they got through.
    this.#lastError = this.#cycle.failuresAlone.errorOf(this.log.pending);
    this.#tellStatus();
    if (answer) this.listeners.tell('onSyncComplete', answer);
  }

  #failed(error: Error): void {
    this.#lastError = error;
    if (!this.#isStatusQuiet) this.#tellStatus();
  }

  /** Does not tell the status: the listener that failed would only fail again. */
  #statusListenerFailed(error: unknown): void {
    this.#isStatusQuiet = true;
    this.listeners.report(error);
    this.#isStatusQuiet = false;
  }

  #tellStatus(): void {
    this.#group?.changed();
    this.#subscribers.tell();
  }
}

/** An error as many libraries make them. */
type CodedError = Error & { readonly code: unknown };
