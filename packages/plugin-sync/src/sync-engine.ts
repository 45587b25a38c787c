/** Sync of one object, or of everything: a view of a client. */
import type { JsonObject, MutationLogEntry, RecordId, SyncConfig, SyncPushResponse } from '@objectql/sync-types';
import type { ConflictList, DeadLetterList } from './attention.js';
import type { MutationLogger } from './mutation-logger.js';
import type { NewMutation } from './new-mutation.js';
import { ObjectConfigs } from './object-configs.js';
import type { MutationOutcome } from './plan-answer.js';
import type { LocalRecord } from './rebase.js';
import { SyncClient, type SyncClientOptions } from './sync-client.js';
import type { SyncEventListener } from './sync-listener.js';
import type { SyncStatus } from './sync-status.js';
import { SyncUsageError } from './sync-usage-error.js';

export interface SyncEngineOptions extends SyncClientOptions {
  readonly config: SyncConfig;
}

/** Which client an engine is a view of, and of which object. */
export interface SyncEngineView {
  readonly client: SyncClient;
  readonly objectName: string;
}

/**
 * Records mutations while offline and syncs them. Made with options it is a client of its own, for all objects; a
 * plugin's `getEngine('task')` makes it a view of one object of the plugin's client.
 */
export class SyncEngine implements AsyncDisposable {
  readonly #client: SyncClient;
  readonly #objectName: string | undefined;

  constructor(options: SyncEngineOptions | SyncEngineView) {
    if ('client' in options) {
      this.#client = options.client;
      this.#objectName = options.objectName;
    } else {
      const { config, ...clientOptions } = options;
      this.#client = new SyncClient(clientOptions, new ObjectConfigs({ defaultConfig: config }));
    }
  }

  /** The records as the user sees them. */
  get records(): ObjectRecords {
    return new ObjectRecords(this.#client, this.#objectName);
  }

  /** Conflicts that wait for the user. */
  get conflicts(): ConflictList {
    return this.#client.conflicts;
  }

  /** Mutations that were refused and wait for the user. */
  get deadLetters(): DeadLetterList {
    return this.#client.deadLetters;
  }

  /** How sync stands now. */
  get status(): SyncStatus {
    return this.#client.status;
  }

  /** Calls `listener` with the status now and whenever it changes. Returns what stops it. */
  subscribeStatus(listener: (status: SyncStatus) => void): () => void {
    return this.#client.subscribeStatus(listener);
  }

  /**
   * Records a mutation and returns its entry at once. It is durable when `flush()` resolves, and is sent after the
   * object's debounce. Throws `SyncUsageError` when it cannot be recorded.
   */
  recordMutation(entry: NewMutation): MutationLogEntry {
    if (this.#objectName !== undefined && entry.objectName !== this.#objectName) {
      const message = `This is the engine of ${this.#objectName}; record ${entry.objectName} with getEngine('${entry.objectName}').`;
      throw new SyncUsageError('WRONG_OBJECT', message);
    }
    return this.#client.record(entry);
  }

  /**
   * Sends and receives all there is, now. Resolves with the last answer; with `null` when it failed (listen to
   * `onSyncError`; it is tried again by itself), when sync is paused, or when there is nothing to do. Never rejects.
   */
  async sync(): Promise<SyncPushResponse | null> {
    return this.#client.sync();
  }

  /** Resolves when all that was recorded so far is durable; rejects when the storage fails. */
  async flush(): Promise<void> {
    await this.#client.log.flush();
  }

  /** Resolves with the outcome of a mutation, when it has one. */
  async settled(mutationId: string): Promise<MutationOutcome> {
    return this.#client.settled(mutationId);
  }

  addListener(listener: SyncEventListener): void {
    this.#client.listeners.add(listener);
  }

  removeListener(listener: SyncEventListener): void {
    this.#client.listeners.remove(listener);
  }

  getMutationLogger(): MutationLogger {
    return this.#client.log;
  }

  /** The place in the server's feed up to which everything is stored here; `null` before the first sync. */
  getCheckpoint(): string | null {
    return this.#client.log.meta.checkpoint;
  }

  isSyncing(): boolean {
    return this.#client.isSyncing;
  }

  /** Forgets a scheduled sync; what is pending stays and goes with the next one. */
  cancelScheduledSync(): void {
    this.#client.cancelScheduled();
  }

  /** Sends nothing until `resume()`. */
  pause(): void {
    this.#client.pause();
  }

  /** Goes on after `pause()`, or after the user has signed in again. */
  resume(): void {
    this.#client.resume();
  }

  /** Ends the client, all of it: other engines of the same plugin end with it. What was recorded is durable then. */
  async close(): Promise<void> {
    await this.#client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The records of one object. An engine for all objects takes the object's name with `of`. */
export class ObjectRecords {
  readonly #client: SyncClient;
  readonly #objectName: string | undefined;

  constructor(client: SyncClient, objectName: string | undefined) {
    this.#client = client;
    this.#objectName = objectName;
  }

  /** The records of that object. */
  of(objectName: string): ObjectRecords {
    return new ObjectRecords(this.#client, objectName);
  }

  /** The record, or `undefined` when there is none or its delete is pending. */
  async get(recordId: RecordId): Promise<LocalRecord | undefined> {
    await this.#client.open();
    return this.#client.records.get(this.#name, recordId);
  }

  /** All records, in no particular order. */
  async list(): Promise<readonly LocalRecord[]> {
    await this.#client.open();
    return this.#client.records.list(this.#name);
  }

  /** Calls `listener` with all records now and whenever one changes. Returns what stops it. */
  subscribe(listener: (records: readonly LocalRecord[]) => void): () => void {
    return this.#client.records.watchAll(this.#name, listener);
  }

  /** Calls `listener` with one record now and whenever it changes. Returns what stops it. */
  subscribeTo(recordId: RecordId, listener: (record: LocalRecord | undefined) => void): () => void {
    return this.#client.records.watch({ objectName: this.#name, recordId }, listener);
  }

  /** Records the creation of a record. */
  create(recordId: RecordId, data: Readonly<Record<string, unknown>>): MutationLogEntry {
    return this.#client.record({ objectName: this.#name, recordId, operation: 'create', data, baseVersion: null });
  }

  /** Records a change of some fields, based on the version the user sees. */
  async update(recordId: RecordId, data: Readonly<Record<string, unknown>>): Promise<MutationLogEntry> {
    return this.#record({ recordId, operation: 'update', data });
  }

  /** Records the deletion of a record, based on the version the user sees. */
  async delete(recordId: RecordId): Promise<MutationLogEntry> {
    return this.#record({ recordId, operation: 'delete' });
  }

  async #record(change: {
    readonly recordId: RecordId;
    readonly operation: 'update' | 'delete';
    readonly data?: Readonly<Record<string, unknown>> | JsonObject;
  }): Promise<MutationLogEntry> {
    await this.#client.open();
    const ref = { objectName: this.#name, recordId: change.recordId };
    const baseVersion = await this.#client.baseVersionOf(ref);
    return this.#client.record({ ...ref, ...change, baseVersion });
  }

  get #name(): string {
    if (this.#objectName !== undefined) return this.#objectName;
    throw new SyncUsageError('WRONG_OBJECT', "This engine serves all objects: name one with records.of('task').");
  }
}
