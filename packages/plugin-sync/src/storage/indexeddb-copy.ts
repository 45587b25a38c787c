/** A second copy of what only this device has, in case the browser loses the first. */
import type { Platform } from '../platform/platform.js';
import { secondIndexedDb } from '../platform/second-indexeddb.js';
import { type ClientState, RevisionMovedError, type StorageBatch } from './client-storage.js';
import { readState, writeBatch } from './indexeddb-batch.js';
import { resultOf } from './indexeddb-request.js';
import { createStores, SCHEMA_VERSION } from './indexeddb-schema.js';

/**
 * Chromium deletes all databases of a site when it cannot read one, as after two crashes: it goes on writing behind what the
 * first left half done, and cannot read on from there after the second (https://github.com/google/leveldb/issues/1287). The
 * copy lies in a file of its own, written when the first is, so no crash meets both. What it misses, because it fails or is new,
 * the next opening makes up for.
 */
export class IndexedDbCopy {
  readonly #database: IDBDatabase;
  readonly #platform: Platform;
  /** What it had when it was opened, until that is compared with the first. */
  #found: ClientState | undefined;

  private constructor(database: IDBDatabase, platform: Platform, found: ClientState) {
    this.#database = database;
    this.#platform = platform;
    this.#found = found;
  }

  /** `undefined` where the browser has no room apart for it. */
  static async open(name: string, platform: Platform): Promise<IndexedDbCopy | undefined> {
    const factory = await secondIndexedDb();
    if (factory === undefined) return undefined;
    const request = factory.open(name, SCHEMA_VERSION);
    request.onupgradeneeded = () => createStores(request.result);
    const database = await resultOf(request);
    database.onversionchange = () => database.close();
    return new IndexedDbCopy(database, platform, await readState(database, platform));
  }

  static async delete(name: string): Promise<void> {
    const factory = await secondIndexedDb();
    if (factory !== undefined) await resultOf(factory.deleteDatabase(name));
  }

  /** What brings the first back, if there was one. Its records are the server's to tell: they are asked for from the start. */
  get backup(): StorageBatch | undefined {
    const found = this.#found;
    if (!found?.meta) return undefined;
    return {
      meta: { ...found.meta, checkpoint: null, walk: null },
      putEntries: found.entries,
      putConflicts: found.conflicts,
      putDeadLetters: found.deadLetters,
    };
  }

  /** Makes up for what it missed, as it stands in the first. Does nothing but once. */
  async catchUp(state: ClientState): Promise<void> {
    const found = this.#found;
    this.#found = undefined;
    if (found === undefined || found.meta?.revision === state.meta?.revision) return;
    // All of it, as an entry that is in both may have changed.
    await this.write({
      ...(state.meta && { meta: state.meta }),
      removeEntries: found.entries.map(({ mutation }) => mutation.id),
      putEntries: state.entries,
      removeConflicts: found.conflicts.map(({ id }) => id),
      putConflicts: state.conflicts,
      removeDeadLetters: found.deadLetters.map(({ id }) => id),
      putDeadLetters: state.deadLetters,
    });
  }

  /** Follows the first, which has written this. */
  async write(batch: StorageBatch): Promise<void> {
    // What the server tells again need not be kept twice.
    const { expectCheckpoint, putRecords, removeRecords, sweepWalk, ...own } = batch;
    try {
      await writeBatch(this.#database, own, this.#platform);
    } catch (error) {
      if (!(error instanceof RevisionMovedError)) throw error;
      // What another tab has written before is missing, or comes behind this: the next start is to see that.
      const { expectRevision, meta, ...rest } = own;
      const marked = meta && { meta: { ...meta, revision: INCOMPLETE } };
      await writeBatch(this.#database, { ...rest, ...marked }, this.#platform);
    }
  }

  /** What is written from now on does not reach it. */
  close(): void {
    this.#database.close();
  }
}

/** No revision of the first. */
const INCOMPLETE = -1;
