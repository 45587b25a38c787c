/** A second copy of what only this device has, in case the browser loses the first. */
import type { Platform } from '../platform/platform.js';
import { secondIndexedDb } from '../platform/second-indexeddb.js';
import { type ClientState, RevisionMovedError, type StorageBatch } from './client-storage.js';
import { readState, writeBatch } from './indexeddb-batch.js';
import { resultOf } from './indexeddb-request.js';
import { createStores, SCHEMA_VERSION } from './indexeddb-schema.js';

/**
 * Chromium deletes all databases of a site when it cannot read one, as after two crashes: after the first it goes on
 * writing behind a half-written part, and after the second it cannot read past that
 * (https://github.com/google/leveldb/issues/1287). The copy is in a file of its own, written after the first, so no
 * crash hits both. The next opening adds what it misses, because it failed or is new.
 */
export class IndexedDbCopy {
  readonly #database: IDBDatabase;
  readonly #platform: Platform;
  /** Its content when it was opened, until that is compared with the first. */
  #found: ClientState | undefined;

  private constructor(database: IDBDatabase, platform: Platform, found: ClientState) {
    this.#database = database;
    this.#platform = platform;
    this.#found = found;
  }

  /** `undefined` if the browser has no separate room for it. */
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

  /** Restores the first, if there was one. The server tells its records again: they are asked for from the start. */
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

  /** Adds what it missed, as the first has it. Works only once. */
  async catchUp(state: ClientState): Promise<void> {
    const found = this.#found;
    this.#found = undefined;
    if (found === undefined || found.meta?.revision === state.meta?.revision) return;
    // All of it, because an entry in both may have changed.
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

  /** Writes what the first has written. */
  async write(batch: StorageBatch): Promise<void> {
    // What the server can tell again need not be kept twice.
    const { expectCheckpoint, putRecords, removeRecords, sweepWalk, ...own } = batch;
    try {
      await writeBatch(this.#database, own, this.#platform);
    } catch (error) {
      if (!(error instanceof RevisionMovedError)) throw error;
      // An earlier write of another tab is missing, or comes later: the next start must see that.
      const { expectRevision, meta, ...rest } = own;
      const marked = meta && { meta: { ...meta, revision: INCOMPLETE } };
      await writeBatch(this.#database, { ...rest, ...marked }, this.#platform);
    }
  }

  /** Later writes do not reach it. */
  close(): void {
    this.#database.close();
  }
}

/** Never a revision of the first. */
const INCOMPLETE = -1;
