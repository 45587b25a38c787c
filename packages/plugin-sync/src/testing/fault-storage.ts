/** A storage that fails when told to, to see what an app shows when a disk is full or a database is gone. */

import type { RecordRef } from '@objectql/sync-types';
import type { BaseRecord, ClientState, ClientStorage, StorageBatch } from '../storage/client-storage.js';

/** Which calls of a storage can be made to fail. */
export type StorageOperation = 'load' | 'commit' | 'getRecords' | 'listRecords';

/**
 * Passes everything on to `inner`, but for what was told to fail. A call that fails reaches `inner` never: nothing of it
 * was stored.
 *
 * ```text
 * const storage = new FaultStorage(new MemoryStorage());
 * storage.fail('commit', new Error('The disk is full.'));
 * await engine.flush(); // rejects; what was recorded stays in memory
 * storage.heal();
 * await engine.flush(); // durable now
 * ```
 */
export class FaultStorage implements ClientStorage {
  readonly #inner: ClientStorage;
  readonly #errorByOperation = new Map<StorageOperation, Error>();
  readonly #commits: StorageBatch[] = [];

  constructor(inner: ClientStorage) {
    this.#inner = inner;
  }

  /** The batches that were stored, in their order. */
  get commits(): readonly StorageBatch[] {
    return this.#commits;
  }

  /** Lets every call of `operation` reject with `error`, until `heal`. */
  fail(operation: StorageOperation, error: Error): void {
    this.#errorByOperation.set(operation, error);
  }

  /** Ends all failing. */
  heal(): void {
    this.#errorByOperation.clear();
  }

  async load(): Promise<ClientState> {
    this.#failIfTold('load');
    return this.#inner.load();
  }

  async commit(batch: StorageBatch): Promise<void> {
    this.#failIfTold('commit');
    await this.#inner.commit(batch);
    this.#commits.push(batch);
  }

  async getRecords(refs: readonly RecordRef[]): Promise<readonly (BaseRecord | undefined)[]> {
    this.#failIfTold('getRecords');
    return this.#inner.getRecords(refs);
  }

  async listRecords(objectName: string): Promise<readonly BaseRecord[]> {
    this.#failIfTold('listRecords');
    return this.#inner.listRecords(objectName);
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }

  #failIfTold(operation: StorageOperation): void {
    const error = this.#errorByOperation.get(operation);
    if (error) throw error;
  }
}
