/** A storage in the browser's IndexedDB: for pages and workers. */
import type { RecordRef } from '@objectql/sync-types';
import { keepStored } from '../platform/keep-stored.js';
import { whileFrozen } from '../platform/page-freeze.js';
import type { Platform } from '../platform/platform.js';
import { systemPlatform } from '../platform/system-platform.js';
import { waitWithin } from '../platform/wait-within.js';
import {
  type BaseRecord,
  type ClientState,
  type ClientStorage,
  MovedError,
  type StorageBatch,
} from './client-storage.js';
import { fill, readState, writeBatch } from './indexeddb-batch.js';
import { IndexedDbCopy } from './indexeddb-copy.js';
import { endOf, resultOf } from './indexeddb-request.js';
import { createStores, SCHEMA_VERSION } from './indexeddb-schema.js';
import { closedError, StorageError, type StorageErrorCode } from './storage-error.js';

/** Whether to ask the browser to keep what is stored. */
export interface IndexedDbStorageOptions {
  /** False when the app itself asks the browser to keep what it stores. Default true. */
  readonly persist?: boolean | undefined;
  /** For tests: the clock that limits opening and deleting. */
  readonly platform?: Platform | undefined;
}

/**
 * Keeps a client's state in the IndexedDB database of this name. A batch is one transaction, on the disk when `commit`
 * resolves (durability `strict`). Several tabs may have it open at once.
 *
 * Browsers may delete what a site stores when the disk is full. When it has something to lose, the storage asks them once
 * not to (`navigator.storage.persist()`).
 *
 * ```ts
 * const storage = new IndexedDbStorage('my-app-sync');
 * ```
 */
export class IndexedDbStorage implements ClientStorage {
  readonly #name: string;
  readonly #keepStored: () => Promise<boolean>;
  readonly #platform: Platform;
  #opening: Promise<IDBDatabase> | undefined;
  #copy: IndexedDbCopy | undefined;
  #closing: Promise<void> | undefined;
  #reading: Reading | undefined;
  readonly #underWay = new Set<Promise<unknown>>();
  #wasOpen = false;
  #isCleared = false;
  #onLost: () => void = () => {};

  constructor(name: string, options: IndexedDbStorageOptions = {}) {
    this.#name = name;
    this.#keepStored = options.persist === false ? async () => false : keepStored;
    this.#platform = options.platform ?? systemPlatform;
  }

  /**
   * Deletes everything stored under this name, also for tabs that have it open. Rejects with `LOCKED` if one of them
   * does not let go of it within 10 s: it is deleted once they are closed.
   */
  static async delete(name: string, options: IndexedDbStorageOptions = {}): Promise<void> {
    const deleting = IndexedDbCopy.delete(name).then(() => resultOf(indexedDB.deleteDatabase(name)));
    await new IndexedDbStorage(name, options).#inTime(deleting);
  }

  onLost(listener: () => void): void {
    this.#onLost = listener;
  }

  /** All tabs that open the database of this name share it. */
  get sharedName(): string {
    return this.#name;
  }

  load(): Promise<ClientState> {
    return this.#run(async (database) => {
      const state = await readState(database, this.#platform);
      await this.#waitForCopy(this.#copy?.catchUp(state));
      return state;
    });
  }

  async commit(batch: StorageBatch): Promise<void> {
    // Copied now: it is written once the database is open, and the caller may have changed it by then.
    const copy = structuredClone(batch);
    await this.#run(async (database) => {
      await writeBatch(database, copy, this.#platform);
      await this.#waitForCopy(this.#copy?.write(copy));
    });
    if (batch.putEntries?.length) void this.#keepStored();
  }

  getRecords(refs: readonly RecordRef[]): Promise<readonly (BaseRecord | undefined)[]> {
    return this.#read((store) =>
      Promise.all(refs.map(({ objectName, recordId }) => resultOf(store.get([objectName, recordId])))),
    );
  }

  listRecords(objectName: string): Promise<readonly BaseRecord[]> {
    // An array sorts behind every text and number, so this covers all keys that begin with the object's name.
    const range = IDBKeyRange.bound([objectName], [objectName, []]);
    return this.#read((store) => resultOf(store.getAll(range)));
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  /**
   * Runs `ask` on the records. What is asked in one turn shares a transaction: one for each row of a long list would stop
   * the page for a minute.
   */
  #read<T>(ask: (records: IDBObjectStore) => Promise<T>): Promise<T> {
    return this.#run(async (database) => {
      if (!this.#reading) {
        const transaction = database.transaction('records');
        // `false`: a record that cannot be read does not end the transaction for the others.
        transaction.onerror = () => false;
        this.#reading = [transaction.objectStore('records'), endOf(transaction, this.#platform)];
        void Promise.resolve().then(() => {
          this.#reading = undefined;
        });
      }
      const [records, end] = this.#reading;
      const asked = ask(records);
      // What was read counts, even if the transaction then fails for another reader.
      await Promise.race([asked, end]);
      return asked;
    });
  }

  #run<T>(work: (database: IDBDatabase) => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(closedError(`The IndexedDbStorage ${this.#name}`));
    const running = this.#attempt(work).catch((error) => {
      throw this.#storageError(error);
    });
    this.#underWay.add(running);
    const end = () => this.#underWay.delete(running);
    running.then(end, end);
    return running;
  }

  async #attempt<T>(work: (database: IDBDatabase) => Promise<T>): Promise<T> {
    // A frozen page may hear messages, but not the end of a transaction: one it began would keep all other tabs from
    // writing until somebody looks at it again.
    await whileFrozen();
    const opening = this.#open();
    try {
      return await work(await opening);
    } catch (error) {
      // Safari drops connections of background pages, even without notice:
      // https://bugs.webkit.org/show_bug.cgi?id=197050
      if (isNamed(error, 'UnknownError', 'TimeoutError')) {
        this.#forget(opening);
        (await opening).close();
      }
      if (!isNamed(error, 'InvalidStateError')) throw error;
      // The connection was closed before or meanwhile. Asking again is safe even if it was done: a batch tells what it
      // expects.
      this.#forget(opening);
      return work(await this.#open());
    }
  }

  #open(): Promise<IDBDatabase> {
    if (this.#opening !== undefined) return this.#opening;
    const opening: Promise<IDBDatabase> = this.#openDatabase(() => this.#forget(opening)).catch((error) => {
      this.#forget(opening);
      throw error;
    });
    this.#opening = opening;
    return opening;
  }

  async #openDatabase(forget: () => void): Promise<IDBDatabase> {
    if (this.#isCleared) throw this.#error('CLEARED');
    const opening = this.#request(await this.#openCopy());
    const database = await this.#inTime(opening, () => {
      // Nobody waits for a connection that opens late, and it must not block others.
      opening.then((late) => late.close()).catch(() => {});
    });
    const lose = () => {
      forget();
      this.#onLost();
    };
    database.onclose = lose;
    // A newer version of the app, or a deletion of the database, waits for this connection to end.
    database.onversionchange = async ({ newVersion }) => {
      this.#isCleared = !newVersion;
      lose();
      // Before the deletion can go on: a tab that opens the database anew must not find the copy.
      if (this.#isCleared) await this.#waitForCopy(IndexedDbCopy.delete(this.#name));
      database.close();
    };
    this.#wasOpen = true;
    return database;
  }

  /** Opens or deletes the database, unless a tab that holds it never lets go. */
  #inTime<T>(work: Promise<T>, onLate?: () => void): Promise<T> {
    return waitWithin(work, {
      timeoutMs: OPEN_MS,
      platform: this.#platform,
      onLate: () => {
        onLate?.();
        throw this.#error('LOCKED');
      },
    });
  }

  /** Resolves with whether the copy has answered, even if only that there is none. */
  async #openCopy(): Promise<boolean> {
    this.#copy?.close();
    const answer = await this.#waitForCopy(IndexedDbCopy.open(this.#name, this.#platform).then((copy) => ({ copy })));
    this.#copy = answer?.copy;
    return answer !== undefined;
  }

  /** The copy's answer. A copy that fails or does not answer is left alone: everything works without it. */
  async #waitForCopy<T>(work: Promise<T> | undefined): Promise<T | undefined> {
    if (!work) return undefined;
    const onLate = () => {
      this.#copy?.close();
      this.#copy = undefined;
      return undefined;
    };
    return waitWithin(work, { timeoutMs: COPY_MS, platform: this.#platform, onLate }).catch(onLate);
  }

  async #request(isCopyKnown: boolean): Promise<IDBDatabase> {
    try {
      const request = indexedDB.open(this.#name, SCHEMA_VERSION);
      request.onupgradeneeded = () => {
        const { transaction } = request as { readonly transaction: IDBTransaction };
        if (this.#wasOpen) {
          // What was open is gone. Nothing is made in its place: another tab would take it for what it had open, and if
          // the user is deleting the site's data, the copy may just not be deleted yet.
          this.#isCleared = true;
          transaction.abort();
          this.#onLost();
          return;
        }
        // The silent copy may have what the last database had.
        if (!isCopyKnown) return transaction.abort();
        createStores(request.result);
        const backup = this.#copy?.backup;
        if (backup) void fill(transaction, backup);
      };
      return await resultOf(request);
    } catch (error) {
      if (this.#isCleared) throw this.#error('CLEARED');
      if (!isCopyKnown && isNamed(error, 'AbortError')) throw this.#error('LOCKED', error);
      // Blocked site data, private windows of older Firefox, and no IndexedDB at all.
      const isUnavailable = isNamed(error, 'SecurityError', 'InvalidStateError', 'ReferenceError', 'TypeError');
      throw isUnavailable ? this.#error('UNAVAILABLE', error) : error;
    }
  }

  #forget(opening: Promise<IDBDatabase>): void {
    if (this.#opening === opening) this.#opening = undefined;
  }

  async #shutDown(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    // A database that could not be opened needs no closing; the caller was told.
    const database = await this.#opening?.catch(() => undefined);
    database?.close();
    this.#copy?.close();
  }

  #storageError(error: unknown): unknown {
    if (error instanceof StorageError || error instanceof MovedError) return error;
    if (isNamed(error, 'QuotaExceededError')) return this.#error('FULL', error);
    if (isNamed(error, 'TimeoutError')) return this.#error('LOCKED', error);
    return this.#error(isNamed(error, 'VersionError') ? 'TOO_NEW' : 'FAILED', error);
  }

  #error(code: keyof typeof ADVICE, cause?: unknown): StorageError {
    return new StorageError(code, `The database ${this.#name} ${ADVICE[code]}`, { cause });
  }
}

/** What a transaction reads from, and its end. */
type Reading = readonly [records: IDBObjectStore, end: Promise<void>];

/** 10 s: an upgrade waits for tabs with an older version of the app, and Safari may never answer at all. */
const OPEN_MS = 10_000;

/** 2 s: long for a small database on a slow disk, and short for a user who waits. */
const COPY_MS = 2000;

/** What happened, and what to do about it. */
const ADVICE = {
  FULL: 'has no room left. Free some space.',
  TOO_NEW: 'was written by a newer version of this app. Reload the page.',
  LOCKED: 'does not answer: another tab holds or deletes it. Close the other tabs.',
  UNAVAILABLE: 'cannot be used: the browser keeps no data for this site. Allow site data.',
  CLEARED: 'was deleted while it was open. Reload the page to start anew.',
  FAILED: 'could not be read or written: see the cause.',
} as const satisfies Partial<Record<StorageErrorCode, string>>;

/** DOM exceptions are told apart by their names. */
function isNamed(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof Error && names.includes(error.name);
}
