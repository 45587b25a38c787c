/** A storage in the browser's IndexedDB: for pages and workers. */
import type { RecordRef } from '@objectql/sync-types';
import { openDB } from 'idb';
import {
  type BaseRecord,
  CheckpointMovedError,
  type ClientState,
  type ClientStorage,
  RevisionMovedError,
  type StorageBatch,
} from './client-storage.js';
import { writeBatch } from './indexeddb-batch.js';
import { createStores, SCHEMA_VERSION, STORES, type SyncDatabase, type SyncSchema } from './indexeddb-schema.js';
import { inOrder } from './state-order.js';
import { closedError, StorageError } from './storage-error.js';

/**
 * Keeps a client's state in the IndexedDB database of this name. A batch is one transaction, on the disk when `commit`
 * resolves (durability `strict`). Several tabs may have it open at once.
 *
 * Browsers may delete what a site stores when the disk is full; `navigator.storage.persist()` asks them not to.
 *
 * ```ts
 * const storage = new IndexedDbStorage('my-app-sync');
 * ```
 */
export class IndexedDbStorage implements ClientStorage {
  readonly #name: string;
  #opening: Promise<SyncDatabase> | undefined;
  #closing: Promise<void> | undefined;
  readonly #underWay = new Set<Promise<unknown>>();
  #wasOpen = false;
  #isDeleted = false;

  constructor(name: string) {
    this.#name = name;
  }

  /** All tabs that open the database of this name share it. */
  get sharedName(): string {
    return this.#name;
  }

  load(): Promise<ClientState> {
    return this.#run(async (database) => {
      const transaction = database.transaction(STORES);
      const [meta, entries, conflicts, deadLetters] = await Promise.all([
        transaction.objectStore('meta').get('client'),
        transaction.objectStore('entries').getAll(),
        transaction.objectStore('conflicts').getAll(),
        transaction.objectStore('deadLetters').getAll(),
        transaction.done,
      ]);
      return inOrder({ meta: meta ?? null, entries, conflicts, deadLetters });
    });
  }

  async commit(batch: StorageBatch): Promise<void> {
    // Copied now: it is written when the database is open, and the caller may have changed it by then.
    const copy = structuredClone(batch);
    await this.#run((database) => writeBatch(database, copy));
  }

  getRecords(refs: readonly RecordRef[]): Promise<readonly (BaseRecord | undefined)[]> {
    return this.#run(async (database) => {
      const { store, done } = database.transaction('records');
      const found = refs.map(({ objectName, recordId }) => store.get([objectName, recordId]));
      const [records] = await Promise.all([Promise.all(found), done]);
      return records;
    });
  }

  listRecords(objectName: string): Promise<readonly BaseRecord[]> {
    // An array sorts behind every text and number, so this is all keys that begin with the object's name.
    const range = IDBKeyRange.bound([objectName], [objectName, []]);
    return this.#run(async (database) => {
      const { store, done } = database.transaction('records');
      const [records] = await Promise.all([store.getAll(range), done]);
      return records;
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  #run<T>(work: (database: SyncDatabase) => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(closedError(`The IndexedDbStorage ${this.#name}`));
    const running = this.#attempt(work).catch((error) => {
      throw this.#storageError(error);
    });
    this.#underWay.add(running);
    const end = () => this.#underWay.delete(running);
    running.then(end, end);
    return running;
  }

  async #attempt<T>(work: (database: SyncDatabase) => Promise<T>): Promise<T> {
    const opening = this.#open();
    try {
      return await work(await opening);
    } catch (error) {
      // Safari drops the connections of pages in the background: https://bugs.webkit.org/show_bug.cgi?id=197050
      if (isNamed(error, 'UnknownError')) this.#forget(opening);
      if (!isNamed(error, 'InvalidStateError')) throw error;
      // The connection was closed before, so no transaction was begun: this one may be asked for again.
      this.#forget(opening);
      return work(await this.#open());
    }
  }

  #open(): Promise<SyncDatabase> {
    if (this.#opening) return this.#opening;
    const opening: Promise<SyncDatabase> = this.#openDatabase(() => this.#forget(opening)).catch((error) => {
      this.#forget(opening);
      throw error;
    });
    this.#opening = opening;
    return opening;
  }

  async #openDatabase(onLost: () => void): Promise<SyncDatabase> {
    let isNew = false;
    const database: SyncDatabase = await openDB<SyncSchema>(this.#name, SCHEMA_VERSION, {
      upgrade(created) {
        isNew = true;
        createStores(created);
      },
      // A newer version of the app, or whoever deletes the database, waits for this connection to end.
      blocking() {
        database.close();
        onLost();
      },
      terminated: onLost,
    });
    this.#isDeleted ||= isNew && this.#wasOpen;
    this.#wasOpen = true;
    if (!this.#isDeleted) return database;
    database.close();
    throw new StorageError(
      'DAMAGED',
      `The database ${this.#name} was deleted while it was open, by the user or by the browser. Start the client anew.`,
    );
  }

  #forget(opening: Promise<SyncDatabase>): void {
    if (this.#opening === opening) this.#opening = undefined;
  }

  async #shutDown(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    // A database that could not be opened needs no closing; who asked for it was told.
    const database = await this.#opening?.catch(() => undefined);
    database?.close();
  }

  #storageError(error: unknown): unknown {
    if ([StorageError, CheckpointMovedError, RevisionMovedError].some((known) => error instanceof known)) return error;
    const [code, problem] = isNamed(error, 'QuotaExceededError')
      ? (['FULL', 'has no room left: nothing was stored. Free some space and try again.'] as const)
      : isNamed(error, 'VersionError')
        ? (['TOO_NEW', 'was written by a newer version of this app. Reload the page to get that version.'] as const)
        : (['FAILED', 'could not be read or written. See the cause of this error.'] as const);
    return new StorageError(code, `The database ${this.#name} ${problem}`, { cause: error });
  }
}

/** DOM exceptions are told apart by their names. */
function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}
