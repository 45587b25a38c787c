/** A storage that lives as long as the process: for tests, demos, and clients that may forget. */
import type { RecordRef } from '@objectql/sync-types';
import { checkExpected } from './check-expected.js';
import type { BaseRecord, ClientState, ClientStorage, StorageBatch } from './client-storage.js';
import { frozenCopy } from './frozen-copy.js';
import { MemoryTables } from './memory-tables.js';
import { closedError } from './storage-error.js';

/** Keeps a client's state in memory. Nothing survives `close` or the end of the process; values are handed out frozen. */
export class MemoryStorage implements ClientStorage {
  #tables: MemoryTables | undefined = new MemoryTables();

  async load(): Promise<ClientState> {
    return this.#open().state();
  }

  async commit(batch: StorageBatch): Promise<void> {
    const tables = this.#open();
    const copy = frozenCopy(batch);
    checkExpected(copy, tables.meta);
    tables.apply(copy);
  }

  async getRecords(refs: readonly RecordRef[]): Promise<readonly (BaseRecord | undefined)[]> {
    return this.#open().getRecords(refs);
  }

  async listRecords(objectName: string): Promise<readonly BaseRecord[]> {
    return this.#open().listRecords(objectName);
  }

  async close(): Promise<void> {
    this.#tables = undefined;
  }

  #open(): MemoryTables {
    if (!this.#tables) throw closedError('This MemoryStorage');
    return this.#tables;
  }
}
