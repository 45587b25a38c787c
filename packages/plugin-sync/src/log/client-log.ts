/**
 * The log and the one door to the storage: every write takes its turn here, so that sequences and checkpoint always fit
 * what is stored.
 *
 *   append ──▶ in memory, at once ──▶ durable (flush) ──▶ sent ──▶ settled: leaves by its own id
 *
 * Until the storage is loaded, appended entries carry provisional sequences; they are numbered behind the stored ones
 * before they are persisted, and nothing is sent before that.
 */
import type { MutationLogEntry } from '@objectql/sync-types';
import { checkClientId } from '../check-options.js';
import type { Platform } from '../platform/platform.js';
import {
  type ClientMeta,
  type ClientState,
  type ClientStorage,
  MovedError,
  RevisionMovedError,
  type StorageBatch,
  type StoredEntry,
} from '../storage/client-storage.js';
import { vouch } from '../storage/frozen-copy.js';
import { SyncUsageError } from '../sync-usage-error.js';
import { WaitingItems } from '../waiting/waiting-items.js';
import { BackgroundSaver } from './background-saver.js';
import type { LogChange } from './log-change.js';
import { type MadeBefore, makeEntry, type NewEntry, withFacts, withoutBase } from './log-entry.js';
import type { LogObserver } from './log-observer.js';
import type { CheckedMutation } from './new-mutation.js';
import { PendingEntries } from './pending-entries.js';
import { TurnQueue } from './turn-queue.js';

export interface ClientLogOptions {
  readonly clientId: string;
  readonly storage: ClientStorage;
  readonly platform: Platform;
  /** Whose work this is; a stored log of another user is neither read nor sent. */
  readonly user?: string | undefined;
}

/** A batch that names only the facts that change. */
type LogBatch = Omit<StorageBatch, 'meta'> & { readonly meta?: Partial<ClientMeta> };

export class ClientLog {
  readonly clientId: string;
  readonly #storage: ClientStorage;
  readonly #platform: Platform;
  readonly #user: string | undefined;
  #pending = new PendingEntries();
  /** What waits for the user. Only this log changes it. */
  readonly waiting = new WaitingItems();
  readonly #turns = new TurnQueue();
  readonly #saver: BackgroundSaver;
  /**
   * Changed in place: each copy would have a shape of its own, and code compiled for the old one would be thrown away.
   */
  readonly #meta: Omit<ClientMeta, 'nextSequence'> & { nextSequence: number };
  /** Ids the application acknowledged and the storage may still have, in the order they were acknowledged. */
  #unremoved: string[] = [];
  #isMetaUnsaved = false;
  /** True when the storage refused or failed the last thing it was asked. */
  #isRefused = false;
  #loaded: Promise<ClientState> | undefined;
  #isClosed = false;
  /** Set once the storage has turned out to be another user's; opening it again changes nothing. */
  #foreign: SyncUsageError | undefined;
  #observer: LogObserver = {};

  constructor({ clientId, storage, platform, user }: ClientLogOptions) {
    checkClientId(clientId);
    this.clientId = clientId;
    this.#storage = storage;
    this.#platform = platform;
    this.#user = user;
    this.#saver = new BackgroundSaver({
      platform,
      save: () => this.flush(),
      onFailed: (error) => {
        // Another user's storage stays theirs: trying again is useless.
        if (this.#foreign) void this.#saver.stop();
        this.#observer.onSaveFailed?.(error);
      },
    });
    this.#meta = {
      logId: platform.newId(),
      nextSequence: 1,
      checkpoint: null,
      walk: null,
      user: user ?? null,
      epochs: 0,
      revision: 0,
    };
  }

  /**
   * The entries that are not settled yet, durable or not. Only this log changes them, and tabs, which hear that one is
   * settled.
   */
  get pending(): PendingEntries {
    return this.#pending;
  }

  /** What the client knows about itself; provisional until the storage is loaded. */
  get meta(): ClientMeta {
    return this.#meta;
  }

  /** True while the storage fails: what was appended since exists in memory only, and no answer is taken in. */
  get isFailing(): boolean {
    return this.#saver.isFailing || this.#isRefused;
  }

  /**
   * Records a mutation and returns its entry at once. It is durable when `flush()` has resolved; nothing is sent
   * before. The entry's sequence is final once it is durable.
   */
  append(input: CheckedMutation, made?: MadeBefore): MutationLogEntry {
    if (this.#isClosed) throw new SyncUsageError('CLOSED', 'The log is closed: nothing was recorded.');
    if (this.#foreign) throw this.#foreign;
    const entry = this.#number({ input, round: 0, ...made });
    if (made) this.#pending.put(entry);
    else this.#pending.append(entry);
    this.#saver.schedule();
    return entry.mutation;
  }

  /** Removes mutations that the server has, by their ids; ids that are not there change nothing. */
  acknowledge(ids: readonly string[]): void {
    // Also those that were never saved: a save under way may be writing them just now.
    const removed = ids.filter((id) => this.#pending.remove(id) && this.#unremoved.push(id));
    this.#observer.onRemoved?.(removed);
    this.#saver.schedule();
  }

  /** Resolves when all that was appended and acknowledged so far is durable; rejects when the storage fails. */
  async flush(): Promise<void> {
    await this.load();
    try {
      // Beside readers: they see pending entries from memory, and saving those changes no record.
      await this.#turns.add(() => this.#save());
    } catch (error) {
      if (!(error instanceof RevisionMovedError)) throw error;
      await this.#alone(() => this.#save());
    }
  }

  /** Reads the storage, once; what was appended in the meantime is numbered behind what is stored. */
  load(): Promise<ClientState> {
    this.#loaded ??= this.#load();
    return this.#loaded;
  }

  /**
   * Reads the storage again, after somebody else has changed it. Entries that are not durable yet stay, with new
   * sequences.
   */
  async reload(): Promise<ClientState> {
    await this.load();
    return this.#turns.take(() => this.#readStored());
  }

  /**
   * Makes a change durable, all of it or nothing, and applies it in memory. Returns the entries made from `newEntries`,
   * in their order.
   */
  async commit({
    batch = {},
    meta = {},
    newEntries = () => [],
    forgetBases = false,
  }: LogChange): Promise<readonly StoredEntry[]> {
    await this.load();
    return this.#alone(async () => {
      const made = newEntries().map((entry) => this.#number(entry));
      // Unsaved entries go behind the new ones: another tab could send the new ones first, and these would be refused as
      // overtaken.
      if (made.length > 0)
        for (const entry of this.#pending.unsaved().entries) this.#pending.put(this.#renumber(entry));
      const { putEntries = [], removeEntries = [] } = batch;
      const whole = { ...batch, putEntries: [...putEntries, ...made], meta };
      const written = await this.#store(forgetBases ? this.#withoutBases(whole) : whole);
      for (const id of removeEntries) this.#pending.remove(id);
      this.#keep(written.putEntries ?? []);
      this.waiting.update(written);
      this.#observer.onWaiting?.();
      // Entries appended during the commit still name versions that no longer exist.
      if (forgetBases) for (const entry of [...this.#pending]) this.#pending.put(withoutBase(entry));
      return made;
    });
  }

  /** Reads records between two changes of them. `work` must not await anything that waits for a turn itself. */
  read<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.read(work);
  }

  /**
   * Continues as a new log. Pending entries keep their ids, by which the server recognises what it applied, and their
   * sequences and first log, by which it knows whether it may have forgotten that.
   */
  async startNewLog(): Promise<void> {
    await this.load();
    const { logId } = this.#meta;
    await this.#alone(async () => {
      // Another tab may have done it meanwhile.
      if (this.#meta.logId !== logId) return;
      // Entries that are not durable were never sent, and have no place in the old log.
      const putEntries = [...this.#pending.durable()].map((entry) =>
        withFacts(entry, { firstLogId: logId, ...entry.mutation }),
      );
      await this.#store({ putEntries, meta: { logId: this.#platform.newId() } });
      this.#keep(putEntries);
    });
  }

  /** Soon writes something, to find out whether the storage still works. */
  probe(): void {
    this.#isMetaUnsaved = true;
    this.#saver.schedule();
  }

  /** Tells `observer` how saving goes. */
  observe(observer: LogObserver): void {
    this.#observer = observer;
  }

  /** Makes durable what was appended and acknowledged, and closes the storage. Rejects when either fails. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#saver.stop();
    try {
      // With nothing to store, nothing is lost when the storage does not open.
      if (this.#isUnsaved) await this.flush();
    } finally {
      await this.#turns.idle();
      await this.#storage.close();
    }
  }

  /** True while something that was appended or acknowledged is not durable. */
  get #isUnsaved(): boolean {
    return this.#pending.unsaved().entries.length + this.#unremoved.length > 0;
  }

  async #load(): Promise<ClientState> {
    try {
      const state = await this.#readStored();
      this.#observer.onLoaded?.(state);
      return state;
    } catch (error) {
      // A storage that failed to open may open at the next try.
      this.#loaded = undefined;
      throw error;
    }
  }

  /** Takes over what is stored; entries that are not durable yet stay, numbered behind it. */
  async #readStored(): Promise<ClientState> {
    const state = await this.#asked(this.#storage.load());
    const { meta } = state;
    if (meta && this.#user !== undefined && meta.user !== null && meta.user !== this.#user) {
      const message = 'This storage holds the work of another user. Open a storage of its own for each user.';
      this.#foreign = new SyncUsageError('WRONG_USER', message);
      this.#observer.onForeign?.();
      throw this.#foreign;
    }
    // A failed save may have stored entries after all. They keep their stored sequences: another tab may have sent
    // them.
    const stored = new Set(state.entries.map(({ mutation }) => mutation.id));
    const unsaved = this.#pending.unsaved().entries.filter(({ mutation }) => !stored.has(mutation.id));
    // Since this tab last read, another one has met a new feed: the versions named here do not belong to it.
    const isFromBefore = this.#meta.revision > 0 && meta !== null && meta.epochs !== this.#meta.epochs;
    this.#pending = new PendingEntries();
    Object.assign(this.#meta, meta ? { ...meta, user: this.#user ?? meta.user } : { revision: 0 });
    this.#keep(state.entries);
    for (const entry of unsaved.map((own) => (isFromBefore ? withoutBase(own) : own))) {
      this.#pending.put(meta ? this.#renumber(entry) : entry);
    }
    this.waiting.replace(state);
    this.#observer.onWaiting?.();
    return state;
  }

  /** Takes over stored entries, but none that was acknowledged meanwhile. */
  #keep(entries: readonly StoredEntry[]): void {
    const acknowledged = new Set(this.#unremoved);
    for (const entry of entries) if (!acknowledged.has(entry.mutation.id)) this.#pending.putDurable(entry);
  }

  async #save(): Promise<void> {
    if (this.#isUnsaved || this.#isMetaUnsaved) {
      const { entries, saved } = this.#pending.unsaved();
      const removeEntries = [...this.#unremoved];
      // All entries are frozen: those appended, and those from a storage that hands out the values it was given.
      await this.#store({ putEntries: vouch(entries), removeEntries });
      this.#isMetaUnsaved = false;
      saved();
      this.#unremoved = this.#unremoved.slice(removeEntries.length);
    }
    this.#saver.succeeded();
    this.#observer.onSaved?.();
  }

  /**
   * Runs `work`, which writes, in a turn of its own. If another tab or process was first, takes in its change and runs
   * `work` again.
   */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const run = (): Promise<T> =>
      work().catch(async (error: unknown) => {
        if (!(error instanceof RevisionMovedError)) throw error;
        await this.#readStored();
        this.#observer.onReread?.();
        return run();
      });
    return this.#turns.take(run);
  }

  /** The batch that begins an epoch: its entries, those stored before, and what waits lose their bases with it. */
  #withoutBases({ putEntries = [], ...batch }: LogBatch): LogBatch {
    const removed = new Set(batch.removeEntries);
    const kept = [...this.#pending].filter(({ mutation: { id } }) => !removed.has(id) && this.#pending.isDurable(id));
    return {
      ...batch,
      ...this.waiting.withoutVersions(batch),
      putEntries: [...kept, ...putEntries].map(withoutBase),
      meta: { ...batch.meta, epochs: this.#meta.epochs + 1 },
    };
  }

  async #store(batch: LogBatch): Promise<LogBatch> {
    const { revision } = this.#meta;
    const changes = { ...batch.meta, revision: revision + 1 };
    const meta = { ...this.#meta, ...changes };
    await this.#asked(this.#storage.commit({ ...batch, meta, expectRevision: revision }));
    Object.assign(this.#meta, changes);
    return batch;
  }

  /** Notes whether the storage fails. */
  async #asked<T>(work: Promise<T>): Promise<T> {
    try {
      const done = await work;
      this.#isRefused = false;
      return done;
    } catch (error) {
      this.#isRefused = !(error instanceof MovedError);
      throw error;
    }
  }

  #number(entry: NewEntry): StoredEntry {
    const platform = this.#platform;
    return makeEntry(entry, { clientId: this.clientId, sequence: this.#nextSequence(), platform });
  }

  #renumber(entry: StoredEntry): StoredEntry {
    return withFacts(entry, { sequence: this.#nextSequence() });
  }

  #nextSequence(): number {
    return this.#meta.nextSequence++;
  }
}
