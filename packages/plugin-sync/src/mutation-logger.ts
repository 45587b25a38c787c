/**
 * The client's append-only log of what its user did, and the one door to its storage.
 *
 *   append ──▶ in memory, at once ──▶ durable (flush) ──▶ sent ──▶ settled: leaves by its own id
 *
 * Every write to the storage goes through `commit`, one after another, so that sequences and checkpoint always fit
 * what is stored. Until the storage is loaded, appended entries carry provisional sequences; they are numbered behind
 * the stored ones before they are persisted, and nothing is sent before that.
 */
import { type MutationLogEntry, type RecordRef, recordKey } from '@objectql/sync-types';
import { checkNewMutation, type NewMutation } from './new-mutation.js';
import type { Platform } from './platform/platform.js';
import { systemPlatform } from './platform/system-platform.js';
import type { ClientMeta, ClientState, ClientStorage, StorageBatch, StoredEntry } from './storage/client-storage.js';
import { MemoryStorage } from './storage/memory-storage.js';
import { SyncUsageError } from './sync-usage-error.js';

export interface MutationLoggerOptions {
  /** Where the log is kept. Default: memory, gone with the process. */
  readonly storage?: ClientStorage | undefined;
  readonly platform?: Platform | undefined;
  /** Whose work this is; a stored log of another user is neither read nor sent. */
  readonly user?: string | undefined;
}

export class MutationLogger {
  readonly #clientId: string;
  readonly #storage: ClientStorage;
  readonly #platform: Platform;
  readonly #user: string | undefined;
  #meta: ClientMeta;
  /** In the order of their sequence. */
  readonly #entryById = new Map<string, StoredEntry>();
  readonly #idsByRecord = new Map<string, Set<string>>();
  /** Appended and not yet durable. */
  readonly #unsaved = new Set<string>();
  /** Acknowledged by the application and not yet removed from the storage. */
  readonly #unremoved = new Set<string>();
  #loaded: Promise<ClientState> | undefined;
  #writes: Promise<unknown> = Promise.resolve();
  #isSaveScheduled = false;
  #onSaveFailed: (error: unknown) => void = () => {};

  constructor(clientId: string, { storage, platform, user }: MutationLoggerOptions = {}) {
    this.#clientId = clientId;
    this.#storage = storage ?? new MemoryStorage();
    this.#platform = platform ?? systemPlatform;
    this.#user = user;
    const logId = this.#platform.newId();
    this.#meta = { logId, nextSequence: 1, checkpoint: null, walk: null, user: user ?? null };
  }

  /** How many mutations wait to be settled. */
  get size(): number {
    return this.#entryById.size;
  }

  /** What the client knows about itself; provisional until the storage is loaded. */
  get meta(): ClientMeta {
    return this.#meta;
  }

  getClientId(): string {
    return this.#clientId;
  }

  /**
   * Records a mutation and returns its entry at once. It is durable when `flush()` has resolved; nothing is sent
   * before. Throws `SyncUsageError` for what cannot be stored as JSON, naming the place. The entry's sequence is final
   * once it is durable.
   */
  append(input: NewMutation): MutationLogEntry {
    const entry = this.makeEntry(checkNewMutation(input), { round: 0 });
    this.#add(entry);
    this.#unsaved.add(entry.mutation.id);
    this.#scheduleSave();
    return entry.mutation;
  }

  /** The mutations that are not settled yet, in the order they were made. */
  getPending(): readonly MutationLogEntry[] {
    return [...this.#entryById.values()].map(({ mutation }) => mutation);
  }

  /** The same for one object. */
  getPendingForObject(objectName: string): readonly MutationLogEntry[] {
    return this.getPending().filter((mutation) => mutation.objectName === objectName);
  }

  /** Removes mutations that the server has, by their ids; ids that are not there change nothing. */
  acknowledge(ids: readonly string[]): void {
    for (const id of ids) {
      if (!this.#entryById.has(id)) continue;
      this.#remove(id);
      if (!this.#unsaved.delete(id)) this.#unremoved.add(id);
    }
    this.#scheduleSave();
  }

  /** Removes every pending mutation, sent or not. What was not sent is lost. */
  clear(): void {
    this.acknowledge([...this.#entryById.keys()]);
  }

  /** Resolves when all that was appended and acknowledged so far is durable; rejects when the storage fails. */
  async flush(): Promise<void> {
    await this.#save();
  }

  /** Reads the storage, once; what was appended in the meantime is numbered behind what is stored. */
  load(): Promise<ClientState> {
    this.#loaded ??= this.#load().catch((error: unknown) => {
      // A storage that failed to open may open at the next try.
      this.#loaded = undefined;
      throw error;
    });
    return this.#loaded;
  }

  /** Pending entries, durable or not, in the order they were made. */
  entries(): Iterable<StoredEntry> {
    return this.#entryById.values();
  }

  /** Pending entries of one record, in the order they were made. */
  entriesOf(ref: RecordRef): readonly StoredEntry[] {
    const entries = [...(this.#idsByRecord.get(recordKey(ref)) ?? [])].flatMap((id) => this.#entryById.get(id) ?? []);
    return entries.sort((a, b) => a.mutation.sequence - b.mutation.sequence);
  }

  entry(id: string): StoredEntry | undefined {
    return this.#entryById.get(id);
  }

  /** True once the entry may be sent. */
  isDurable(id: string): boolean {
    return this.#entryById.has(id) && !this.#unsaved.has(id);
  }

  /** An entry with the next sequence, in no log yet: pass it to `commit` in `putEntries`. */
  makeEntry(
    input: NewMutation & { readonly data?: MutationLogEntry['data'] | undefined },
    { round, id, timestamp }: { readonly round: number; readonly id?: string; readonly timestamp?: string },
  ): StoredEntry {
    const { objectName, recordId, operation, data, baseVersion } = input;
    const sequence = this.#meta.nextSequence;
    this.#meta = { ...this.#meta, nextSequence: sequence + 1 };
    const mutation: MutationLogEntry = Object.freeze({
      id: id ?? this.#platform.newId(),
      objectName,
      recordId,
      operation,
      ...(data === undefined ? {} : { data }),
      timestamp: timestamp ?? new Date(this.#platform.now()).toISOString(),
      clientId: this.#clientId,
      sequence,
      baseVersion,
    });
    return { mutation, round, tries: 0 };
  }

  /** Writes a batch and the changed facts durably, then takes them over in memory. The only way anything is stored. */
  async commit(batch: Omit<StorageBatch, 'meta'>, change: Partial<ClientMeta> = {}): Promise<void> {
    await this.load();
    await this.#inTurn(async () => {
      const meta = { ...this.#meta, ...change };
      await this.#storage.commit({ ...batch, meta });
      // Appends went on meanwhile: the sequence may have risen.
      const nextSequence = change.nextSequence ?? this.#meta.nextSequence;
      this.#meta = { ...this.#meta, ...change, nextSequence };
      for (const id of batch.removeEntries ?? []) this.#remove(id);
      for (const entry of batch.putEntries ?? []) this.#add(entry);
      if (batch.putEntries?.length) this.#sortEntries();
    });
  }

  /** Continues as a new log: pending entries are numbered from 1 and keep their ids, so what was applied is recognised. */
  async startNewLog(): Promise<void> {
    const entries = [...this.#entryById.values()];
    this.#meta = { ...this.#meta, logId: this.#platform.newId(), nextSequence: 1 };
    for (const entry of entries) {
      this.#add(this.#numbered(entry));
      this.#unsaved.add(entry.mutation.id);
    }
    await this.#save();
    await this.commit({});
  }

  /** Calls `listener` when saving in the background fails; the entries stay and the next save tries them again. */
  onSaveFailed(listener: (error: unknown) => void): void {
    this.#onSaveFailed = listener;
  }

  async close(): Promise<void> {
    await this.#writes.catch(() => {});
    await this.#storage.close();
  }

  async #load(): Promise<ClientState> {
    const state = await this.#storage.load();
    const { meta } = state;
    if (meta && this.#user !== undefined && meta.user !== null && meta.user !== this.#user) {
      const message = 'This storage holds the pending work of another user. Open a storage of its own for each user.';
      throw new SyncUsageError('WRONG_USER', message);
    }
    const appended = [...this.#entryById.values()];
    this.#entryById.clear();
    this.#idsByRecord.clear();
    if (meta) this.#meta = { ...meta, user: this.#user ?? meta.user };
    for (const entry of state.entries) this.#add(entry);
    for (const entry of appended) this.#add(meta ? this.#numbered(entry) : entry);
    return state;
  }

  #numbered(entry: StoredEntry): StoredEntry {
    const sequence = this.#meta.nextSequence;
    this.#meta = { ...this.#meta, nextSequence: sequence + 1 };
    return { ...entry, mutation: Object.freeze({ ...entry.mutation, sequence }) };
  }

  /** Gathers what one turn of the event loop appends into one write. */
  #scheduleSave(): void {
    if (this.#isSaveScheduled) return;
    this.#isSaveScheduled = true;
    queueMicrotask(() => {
      this.#isSaveScheduled = false;
      this.#save().catch((error: unknown) => this.#onSaveFailed(error));
    });
  }

  async #save(): Promise<void> {
    await this.load();
    await this.#inTurn(async () => {
      const saved = [...this.#unsaved];
      const removed = [...this.#unremoved];
      if (saved.length + removed.length === 0) return;
      const putEntries = saved.flatMap((id) => this.#entryById.get(id) ?? []);
      await this.#storage.commit({ putEntries, removeEntries: removed, meta: this.#meta });
      for (const id of saved) this.#unsaved.delete(id);
      for (const id of removed) this.#unremoved.delete(id);
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#writes.then(work, work);
    this.#writes = mine;
    return mine;
  }

  #add(entry: StoredEntry): void {
    const { id } = entry.mutation;
    this.#entryById.set(id, entry);
    const key = recordKey(entry.mutation);
    const ids = this.#idsByRecord.get(key) ?? new Set();
    this.#idsByRecord.set(key, ids.add(id));
  }

  /** An entry that was numbered before its commit stands before those appended during it. */
  #sortEntries(): void {
    let last = 0;
    let isSorted = true;
    for (const { mutation } of this.#entryById.values()) {
      isSorted &&= mutation.sequence > last;
      last = mutation.sequence;
    }
    if (isSorted) return;
    const sorted = [...this.#entryById].sort(([, a], [, b]) => a.mutation.sequence - b.mutation.sequence);
    this.#entryById.clear();
    for (const [id, entry] of sorted) this.#entryById.set(id, entry);
  }

  #remove(id: string): void {
    const entry = this.#entryById.get(id);
    if (!entry) return;
    this.#entryById.delete(id);
    const key = recordKey(entry.mutation);
    const ids = this.#idsByRecord.get(key);
    ids?.delete(id);
    if (ids?.size === 0) this.#idsByRecord.delete(key);
  }
}
