/** A device's storage as one of several tabs has it open: another tab may delete it, as when the user signs out there. */
import { type ClientStorage, type StorageBatch, StorageError } from '@objectql/plugin-sync';
import type { RecordRef } from '@objectql/sync-types';
import type { Disk } from '../disk.js';

export interface SharedDiskParts {
  readonly sharedName: string;
  /** Called when the storage does what the tab has asked for. */
  readonly onAsked: () => void;
}

export class SharedDisk implements ClientStorage {
  readonly sharedName: string;
  readonly #disk: Disk;
  readonly #opened: ClientStorage;
  readonly #onAsked: () => void;
  #listener = () => {};

  constructor(disk: Disk, { sharedName, onAsked }: SharedDiskParts) {
    this.#disk = disk;
    this.#opened = disk.storage;
    this.sharedName = sharedName;
    this.#onAsked = onAsked;
  }

  onLost(listener: () => void): void {
    this.#listener = listener;
  }

  /** Tells the tab that its storage was deleted. */
  tellLost(): void {
    this.#listener();
  }

  load(): ReturnType<ClientStorage['load']> {
    return this.#do((storage) => storage.load());
  }

  commit(batch: StorageBatch): Promise<void> {
    return this.#do((storage) => storage.commit(batch));
  }

  getRecords(refs: readonly RecordRef[]): ReturnType<ClientStorage['getRecords']> {
    return this.#do((storage) => storage.getRecords(refs));
  }

  listRecords(objectName: string): ReturnType<ClientStorage['listRecords']> {
    return this.#do((storage) => storage.listRecords(objectName));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #do<T>(operation: (storage: ClientStorage) => Promise<T>): Promise<T> {
    this.#onAsked();
    if (this.#disk.storage === this.#opened) return operation(this.#opened);
    throw new StorageError('CLEARED', 'Another tab has deleted what was stored.');
  }
}
