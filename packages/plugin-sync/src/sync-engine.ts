/** Sync of one object, or of everything: a view of a client. */
import type { JsonObject, MutationLogEntry, SyncConfig, SyncPushResponse } from '@objectql/sync-types';
import type { MutationOutcome } from './answer/mutation-outcome.js';
import { checkClientOptions } from './check-options.js';
import type { SyncEventListener } from './listeners/sync-listener.js';
import { MutationLogger } from './log/mutation-logger.js';
import { checkNewMutation, type NewMutation } from './log/new-mutation.js';
import { ObjectConfigs } from './object-configs.js';
import { ObjectRecords } from './records/object-records.js';
import { SyncClient, type SyncClientOptions } from './sync-client.js';
import type { SyncStatus } from './sync-status.js';
import { SyncUsageError } from './sync-usage-error.js';
import type { ConflictList } from './waiting/conflict-list.js';
import type { DeadLetterList } from './waiting/dead-letter-list.js';

/** A client with one `sync` block for all objects. Unknown options throw `SyncUsageError` `INVALID_CONFIG`. */
export interface SyncEngineOptions extends SyncClientOptions {
  /** How every object takes part, e.g. `{ enabled: true, strategy: 'manual' }`. */
  readonly config: SyncConfig;
}

/** The client and the object that an engine is a view of. */
export interface SyncEngineView {
  readonly client: SyncClient;
  readonly objectName: string;
}

/**
 * Records mutations while offline and syncs them. Made with options, it is a client of its own for all objects; made by
 * a plugin's `getEngine('task')`, a view of one object of the plugin's client. `Fields` are those of its `records`.
 */
export class SyncEngine<Fields extends object = JsonObject> implements AsyncDisposable {
  /** The records as the user sees them. */
  readonly records: ObjectRecords<Fields>;
  /** Conflicts that wait for the user. */
  readonly conflicts: ConflictList;
  /** Refused mutations that wait for the user. */
  readonly deadLetters: DeadLetterList;
  readonly #client: SyncClient;
  readonly #objectName: string | undefined;
  readonly #logger: MutationLogger;

  constructor(options: SyncEngineOptions | SyncEngineView) {
    const { client, objectName }: View = 'client' in options ? options : { client: clientOf(options) };
    this.#client = client;
    this.#objectName = objectName;
    this.#logger = new MutationLogger(client.log.clientId, client.log);
    this.records = new ObjectRecords(client, objectName);
    this.conflicts = client.conflicts.of(objectName);
    this.deadLetters = client.deadLetters.of(objectName);
  }

  /** How sync stands now, of the client as a whole. */
  get status(): SyncStatus {
    return this.#client.status;
  }

  /** Calls `listener` with the status now and whenever it changes. Returns what stops it. */
  subscribeStatus(listener: (status: SyncStatus) => void | Promise<void>): () => void {
    return this.#client.subscribeStatus(listener);
  }

  /**
   * Records a mutation and returns its entry at once. It is durable when `flush()` resolves, and is sent after the
   * object's debounce. Throws `SyncUsageError`: `INVALID_MUTATION` for data that is not plain JSON or larger than 256
   * KiB, `NOT_ENABLED`, `READ_ONLY`, `WRONG_OBJECT` or `CLOSED`.
   */
  recordMutation(entry: NewMutation): MutationLogEntry {
    if (this.#objectName !== undefined && entry.objectName !== this.#objectName) {
      const message = `This is the engine of ${this.#objectName}; record ${entry.objectName} with getEngine('${entry.objectName}').`;
      throw new SyncUsageError('WRONG_OBJECT', message);
    }
    return this.#client.record(checkNewMutation(entry));
  }

  /**
   * Sends and receives everything of all objects, now, including what was recorded before the call. Resolves with the
   * answer, or with `null` when sync failed (`onSyncError` and the status say why; it tries again by itself), is paused
   * or not enabled, or had nothing to ask. Never rejects.
   */
  async sync(): Promise<SyncPushResponse | null> {
    if (this.#objectName !== undefined && !this.#client.configs.of(this.#objectName).isEnabled) return null;
    return this.#client.sync();
  }

  /** Resolves when all that was recorded so far is durable; rejects when the storage fails. */
  flush(): Promise<void> {
    return this.#client.log.flush();
  }

  /**
   * Resolves with the outcome of a mutation, of this process or an earlier one, once it is settled. If a new mutation
   * resolves its conflict, that one's outcome counts. Rejects with `SyncUsageError` `UNKNOWN_ID` when nobody will learn
   * it, as after the mutation was taken out of the log.
   */
  settled(mutationId: string): Promise<MutationOutcome> {
    return this.#client.settled(mutationId);
  }

  /** Adds a listener. From the engine of one object it hears only that object's conflicts, changes and dropped fields. */
  addListener(listener: SyncEventListener): void {
    this.#client.listeners.add(listener, this.#objectName);
  }

  /** Removes a listener that `addListener` of this engine added. */
  removeListener(listener: SyncEventListener): void {
    this.#client.listeners.remove(listener, this.#objectName);
  }

  /** The log behind this engine: one for all objects of the client. */
  getMutationLogger(): MutationLogger {
    return this.#logger;
  }

  /** The checkpoint: everything before it is stored here; `null` before the first sync. */
  getCheckpoint(): string | null {
    return this.#client.log.meta.checkpoint;
  }

  /** Whether a sync is under way. */
  isSyncing(): boolean {
    return this.status.state === 'syncing';
  }

  /**
   * Cancels a scheduled sync. Pending mutations stay, and go with the next mutation, `sync()` or return of the network.
   */
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

  /** Closes the whole client, with all engines of the same plugin. Recorded mutations are durable then. */
  close(): Promise<void> {
    return this.#client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** A view of one object, or of everything. */
type View = Pick<SyncEngineView, 'client'> & Partial<SyncEngineView>;

function clientOf(options: SyncEngineOptions): SyncClient {
  checkClientOptions(options, ['config']);
  const { config, ...clientOptions } = options;
  return new SyncClient(clientOptions, new ObjectConfigs({ defaultConfig: config }));
}
