/** A storage that fails when the test says so. */
import type { RecordRef } from '@objectql/sync-types';
import type { BaseRecord, ClientState, ClientStorage, StorageBatch } from '../../src/storage/client-storage.js';
import { MemoryStorage } from '../../src/storage/memory-storage.js';

export class FaultyStorage implements ClientStorage {
  readonly #storage = new MemoryStorage();
  /** Asked before each commit; when it answers an error, nothing of the batch is stored. */
  failCommit: (batch: StorageBatch) => Error | undefined = () => undefined;
  failLoad: () => Error | undefined = () => undefined;
  /** Awaited before each commit. */
  beforeCommit: (batch: StorageBatch) => Promise<void> | undefined = () => undefined;
  readonly batches: StorageBatch[] = [];

  async load(): Promise<ClientState> {
    const error = this.failLoad();
    if (error) throw error;
    return this.#storage.load();
  }

  async commit(batch: StorageBatch): Promise<void> {
    await this.beforeCommit(batch);
    const error = this.failCommit(batch);
    if (error) throw error;
    await this.#storage.commit(batch);
    this.batches.push(structuredClone(batch));
  }

  getRecords(refs: readonly RecordRef[]): Promise<readonly (BaseRecord | undefined)[]> {
    return this.#storage.getRecords(refs);
  }

  listRecords(objectName: string): Promise<readonly BaseRecord[]> {
    return this.#storage.listRecords(objectName);
  }

  /** Keeps what is stored, so that the next client of a test opens it again. */
  async close(): Promise<void> {}
}
