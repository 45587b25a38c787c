/** What a page holds in which `IndexedDbStorage` is tested: its contract, and storages the test outside can call. */
import { describe, expect, it } from 'vitest';
import { TestPlatform } from '../../src/platform/test-platform.js';
import type { StorageBatch } from '../../src/storage/client-storage.js';
import { storageFaultContract } from '../../src/storage/contract/faults.contract.js';
import { storageModelContract } from '../../src/storage/contract/model.contract.js';
import type { StorageFixture } from '../../src/storage/contract/storage-fixture.js';
import { sampleMeta, sampleRecord } from '../../src/storage/contract/storage-samples.js';
import { IndexedDbStorage } from '../../src/storage/indexeddb-storage.js';
import { storageContract } from '../../src/storage/storage.contract.js';
import { SyncPlugin } from '../../src/sync-plugin.js';
import type { SyncStatus } from '../../src/sync-status.js';

let places = 0;

const fixture: StorageFixture = {
  keeps: 'everything',
  loadReads: 'pending',
  async newPlace() {
    const name = `contract-${++places}`;
    return {
      open: () => new IndexedDbStorage(name),
      remove: () => IndexedDbStorage.delete(name),
    };
  },
};
storageContract('IndexedDbStorage', fixture, { describe, it, expect });
storageModelContract('IndexedDbStorage', fixture, 30);
storageFaultContract('IndexedDbStorage', fixture);

/** Stands still until the test moves it. */
const clock = new TestPlatform();

it('reads in one transaction the records of a hundred rows that begin to watch in one turn', async () => {
  const storage = new IndexedDbStorage('rows', { platform: clock });
  const ids = Array.from({ length: 100 }, (_, n) => `row-${n}`);
  await storage.commit({ meta: sampleMeta(), putRecords: ids.map((recordId) => sampleRecord({ recordId })) });
  const transport = { push: () => new Promise<never>(() => {}) };
  const sync = new SyncPlugin({ clientId: 'device-1', transport, storage, platform: clock });
  await sync.client.open();
  let begun = 0;
  const { transaction } = IDBDatabase.prototype;
  IDBDatabase.prototype.transaction = function (...args) {
    begun += 1;
    return transaction.apply(this, args);
  };
  const { records } = sync.getEngine('task');
  const told = await Promise.all(
    ids.map((id) => new Promise((resolve) => records.subscribe(id, (record) => resolve(record?.recordId)))),
  );
  IDBDatabase.prototype.transaction = transaction;
  expect(told).toEqual(ids);
  expect(begun).toBe(1);
  await sync.close();
});

/** Storages by name, so that the test outside can call them one at a time. */
const storages = new Map<string, IndexedDbStorage>();

/** Calls the storage of this name, which is opened by its first call. Answers the code of what it throws. */
async function callStorage(name: string, call: (storage: IndexedDbStorage) => Promise<unknown>): Promise<unknown> {
  const storage = storages.get(name) ?? new IndexedDbStorage(name, { platform: clock });
  storages.set(name, storage);
  return call(storage).catch((error) => error.code ?? error.name);
}

export interface IndexedDbPage {
  /** Moves the clock of all storages and clients of the page. */
  advance(ms: number): Promise<void>;
  /** What the clock has still to do. */
  timers(): readonly number[];
  /** Starts a client that finds no server. */
  startClient(name: string): void;
  /** Records tasks with these texts. */
  record(texts: readonly string[]): void;
  /** How the client stands, the codes of the errors it was told, and how many of its mutations are stored. */
  clientState(): Promise<{ readonly status: SyncStatus; readonly codes: readonly unknown[]; readonly stored: unknown }>;
  /** The same, without looking at what is stored. */
  told(): { readonly status: SyncStatus; readonly codes: readonly unknown[] };
  /** Answers the code of what it throws. */
  closeClient(): Promise<unknown>;
  load(name: string): Promise<unknown>;
  commit(name: string, batch: StorageBatch): Promise<unknown>;
  listTasks(name: string): Promise<unknown>;
  /** Reads each of these tasks by itself, all in one turn. Answers its id, or the code of what is thrown. */
  readTasks(name: string, ids: readonly string[]): Promise<readonly unknown[]>;
  /** Closes the storage of this name; the next call opens another one. */
  close(name: string): Promise<void>;
  /** Answers the code of what it throws. */
  delete(name: string): Promise<unknown>;
}

const codes: unknown[] = [];
let client: SyncPlugin;
let clientStorage: IndexedDbStorage;

const indexedDbPage: IndexedDbPage = {
  advance: (ms) => clock.advance(ms),
  timers: () => clock.pendingTimersMs,
  startClient(name) {
    clientStorage = new IndexedDbStorage(name, { platform: clock });
    client = new SyncPlugin({
      clientId: 'device-1',
      transport: { push: () => new Promise(() => {}) },
      storage: clientStorage,
      platform: clock,
      listeners: [{ onSyncError: (error) => void codes.push((error as { readonly code?: unknown }).code) }],
    });
  },
  record(texts) {
    for (const [index, text] of texts.entries()) client.getEngine('task').records.create(`task-${index}`, { text });
  },
  async clientState() {
    const stored = await clientStorage.load().then(
      ({ entries }) => entries.length,
      (error) => error.code,
    );
    return { status: client.client.status, codes, stored };
  },
  told: () => ({ status: client.client.status, codes }),
  closeClient: () => client.close().catch((error) => error.code ?? error.name),
  load: (name) => callStorage(name, (storage) => storage.load()),
  commit: (name, batch) => callStorage(name, (storage) => storage.commit(batch)),
  listTasks: (name) => callStorage(name, (storage) => storage.listRecords('task')),
  readTasks: (name, ids) =>
    Promise.all(
      ids.map((recordId) =>
        callStorage(name, async (storage) => {
          const [record] = await storage.getRecords([{ objectName: 'task', recordId }]);
          return record?.recordId;
        }),
      ),
    ),
  async close(name) {
    await storages.get(name)?.close();
    storages.delete(name);
  },
  delete: (name) => IndexedDbStorage.delete(name, { platform: clock }).catch((error) => error.code ?? error.name),
};

Object.assign(globalThis, { indexedDbPage });
