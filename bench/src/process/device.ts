/** One device of our client, as an application makes it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ClientStorage,
  httpTransport,
  liveUpdates,
  MemoryStorage,
  type SyncEngine,
  SyncPlugin,
} from '@objectql/plugin-sync';
import { FileStorage } from '@objectql/plugin-sync/file';
import { digestOf } from '../data/digest.js';
import { OBJECT_NAME } from '../data/task.js';

export type StorageKind = 'memory' | 'file';

export interface DeviceOptions {
  readonly url: string;
  readonly clientId: string;
  readonly storage: OpenedStorage;
  /** Mutations in one push; the library's default when absent. */
  readonly batchSize?: number | undefined;
  /** Sends each edit at once, and learns of those of others at once. */
  readonly isLive?: boolean;
}

export interface OpenedStorage {
  readonly storage: ClientStorage;
  /** Deletes what it kept, once it is closed. */
  remove(): Promise<void>;
}

/** A new, empty storage; a file's batches are on the disk when they are committed. */
export async function openStorage(kind: StorageKind): Promise<OpenedStorage> {
  if (kind === 'memory') return { storage: new MemoryStorage(), remove: async () => {} };
  const folder = await mkdtemp(join(tmpdir(), 'objectql-sync-bench-'));
  const storage = new FileStorage(join(folder, 'client.journal'));
  return { storage, remove: () => rm(folder, { recursive: true, force: true }) };
}

export class Device {
  readonly tasks: SyncEngine;
  readonly #plugin: SyncPlugin;
  readonly #storage: OpenedStorage;
  #lastError: unknown;

  constructor({ url, clientId, storage, batchSize, isLive = false }: DeviceOptions) {
    this.#storage = storage;
    this.#plugin = new SyncPlugin({
      clientId,
      transport: httpTransport({ url: `${url}/api/sync` }),
      storage: storage.storage,
      ...(isLive ? { live: liveUpdates() } : {}),
      defaultConfig: {
        enabled: true,
        strategy: 'last-write-wins',
        ...(batchSize === undefined ? {} : { batch_size: batchSize }),
        ...(isLive ? { debounce_ms: 0 } : {}),
      },
      listeners: [
        {
          onSyncError: (error) => {
            this.#lastError = error;
          },
        },
      ],
    });
    this.tasks = this.#plugin.getEngine(OBJECT_NAME);
  }

  /** Works without a network until `sync`. */
  goOffline(): void {
    this.tasks.pause();
  }

  /** Sends and receives all there is. Throws when that fails. */
  async sync(): Promise<void> {
    this.tasks.resume();
    const answer = await this.#plugin.syncAll();
    if (!answer) throw new Error('Sync failed.', { cause: this.#lastError });
  }

  /** What the user of this device sees. */
  async digest(): Promise<string> {
    const records = await this.tasks.records.list();
    return digestOf(records.map(({ recordId, data }) => [String(recordId), data]));
  }

  async close(): Promise<void> {
    await this.#plugin.close();
    await this.#storage.remove();
  }
}
