/** The client-side log of everything its user did while offline. */
import type { MutationLogEntry } from '@objectql/sync-types';
import type { Platform } from '../platform/platform.js';
import { systemPlatform } from '../platform/system-platform.js';
import type { ClientStorage } from '../storage/client-storage.js';
import { MemoryStorage } from '../storage/memory-storage.js';
import { ClientLog } from './client-log.js';
import { checkNewMutation, type NewMutation } from './new-mutation.js';

/** Where a log without an engine is kept; by default in memory. */
export interface MutationLoggerOptions {
  /** Where the log is kept. Default: memory, gone with the process. */
  readonly storage?: ClientStorage | undefined;
  /** Clock and randomness, for tests. Default: the system's. */
  readonly platform?: Platform | undefined;
}

/**
 * An append-only log of mutations, for apps that send them in their own way; an engine has one of its own.
 *
 * ```ts
 * const logger = new MutationLogger('device-abc-123');
 * logger.append({
 *   objectName: 'task',
 *   recordId: 'task-1',
 *   operation: 'create',
 *   data: { title: 'New task' },
 *   baseVersion: null,
 * });
 * logger.getPendingForObject('task').length; // 1
 * ```
 */
export class MutationLogger {
  readonly #log: ClientLog;

  /** A log of its own, or a view of an engine's log. */
  constructor(clientId: string, options: MutationLoggerOptions | ClientLog = {}) {
    const { storage = new MemoryStorage(), platform = systemPlatform } = options instanceof ClientLog ? {} : options;
    this.#log = options instanceof ClientLog ? options : new ClientLog({ clientId, storage, platform });
  }

  /** How many mutations wait to be settled. */
  get size(): number {
    return this.#log.pending.size;
  }

  getClientId(): string {
    return this.#log.clientId;
  }

  /**
   * Records a mutation and returns its frozen entry at once. Once `flush()` has resolved, it is durable and its
   * sequence final: behind what was stored before. Throws `SyncUsageError` for data that cannot be stored, naming the
   * place.
   */
  append(mutation: NewMutation): MutationLogEntry {
    return this.#log.append(checkNewMutation(mutation));
  }

  /** The mutations that are not settled yet, in the order they were made. */
  getPending(): readonly MutationLogEntry[] {
    return Array.from(this.#log.pending, ({ mutation }) => mutation);
  }

  /** The same for one object. */
  getPendingForObject(objectName: string): readonly MutationLogEntry[] {
    return this.#log.pending.ofObject(objectName).map(({ mutation }) => mutation);
  }

  /** Removes mutations that the server has, by their ids; ids that are not there change nothing. */
  acknowledge(ids: readonly string[]): void {
    this.#log.acknowledge(ids);
  }

  /**
   * Removes every pending mutation, sent or not. Unsent ones are lost; whoever waits for an outcome is told
   * `UNKNOWN_ID`.
   */
  clear(): void {
    this.acknowledge(this.getPending().map(({ id }) => id));
  }

  /** Resolves when all that was appended and acknowledged so far is durable; rejects when the storage fails. */
  async flush(): Promise<void> {
    await this.#log.flush();
  }

  /** Reads what an earlier process stored. Otherwise the first `append` or `flush` does. */
  async load(): Promise<void> {
    await this.#log.load();
  }

  /** Makes everything durable and releases the storage; rejects when the storage fails. */
  async close(): Promise<void> {
    await this.#log.close();
  }
}
