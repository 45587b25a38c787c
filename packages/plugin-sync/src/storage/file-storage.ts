/** A storage in one file, for Node: nothing to install, every batch durable. Imports `node:fs`, so browsers must not. */
import type { RecordRef } from '@objectql/sync-types';
import { canBeAskedAgain } from './can-be-asked-again.js';
import { checkExpected } from './check-expected.js';
import type { BaseRecord, ClientMeta, ClientState, ClientStorage, StorageBatch } from './client-storage.js';
import { frozenCopy } from './frozen-copy.js';
import type { Disk } from './journal/disk.js';
import { hasErrno } from './journal/errno.js';
import { JournaledTables, type WrittenBatch } from './journal/journaled-tables.js';
import { nodeDisk } from './journal/node-disk.js';
import type { MemoryTables } from './memory-tables.js';
import { closedError, StorageError } from './storage-error.js';

/** When the file is rewritten, and on which disk it is kept. */
export interface FileStorageOptions {
  /** Where the file is. Default: Node's file system. */
  readonly disk?: Disk | undefined;
  /** The file is rewritten when its garbage exceeds both its live content and this. Default 256 KiB. */
  readonly compactAboveBytes?: number | undefined;
}

/**
 * Keeps a client's state in the file at `path`: a journal of batches, read once when it is opened and held in memory
 * from then on; values are handed out frozen. A batch is on the disk when `commit` resolves, unless the server can
 * tell all of it again, and batches committed together share one sync.
 *
 * One process at a time: the file is locked until `close`, or until the process has died. Opening reads everything, so
 * records in the tens of thousands are better kept in a `SqliteStorage`.
 *
 * ```ts
 * const storage = new FileStorage('/var/lib/my-app/sync.journal');
 * ```
 */
export class FileStorage implements ClientStorage {
  readonly #path: string;
  readonly #disk: Disk;
  readonly #compactAboveBytes: number;
  #opening: Promise<OpenFile> | undefined;
  #closing: Promise<void> | undefined;
  #writing: Promise<void> | undefined;
  #waiting: WaitingBatch[] = [];

  constructor(path: string, options: FileStorageOptions = {}) {
    this.#path = path;
    this.#disk = options.disk ?? nodeDisk;
    this.#compactAboveBytes = options.compactAboveBytes ?? 256 * 1024;
  }

  async load(): Promise<ClientState> {
    return (await this.#read()).state();
  }

  async commit(batch: StorageBatch): Promise<void> {
    this.#refuseClosed();
    const copy = frozenCopy(batch);
    const text = JSON.stringify({ ...copy, expectCheckpoint: undefined, expectRevision: undefined });
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ batch: copy, text, resolve, reject });
      this.#writing ??= this.#writeWaiting();
    });
  }

  async getRecords(refs: readonly RecordRef[]): Promise<readonly (BaseRecord | undefined)[]> {
    return (await this.#read()).getRecords(refs);
  }

  async listRecords(objectName: string): Promise<readonly BaseRecord[]> {
    return (await this.#read()).listRecords(objectName);
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  /** Writes all waiting batches together: those that come during one sync share the next. */
  async #writeWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      await this.#writeGroup(group);
    }
    this.#writing = undefined;
  }

  async #writeGroup(group: readonly WaitingBatch[]): Promise<void> {
    try {
      const { journaled } = await this.#open();
      const { accepted, refused, isSynced } = judge(group, journaled.tables.meta);
      await journaled.write(accepted, { isSynced });
      for (const { resolve } of accepted) resolve();
      for (const { waiting, error } of refused) waiting.reject(error);
      await journaled.compactIfDue();
    } catch (error) {
      for (const { reject } of group) reject(this.#storageError(error));
    }
  }

  async #read(): Promise<MemoryTables> {
    this.#refuseClosed();
    try {
      return (await this.#open()).journaled.tables;
    } catch (error) {
      throw this.#storageError(error);
    }
  }

  #open(): Promise<OpenFile> {
    this.#opening ??= this.#openFile().catch((error) => {
      // The holder of the lock may release it: the next call tries again.
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #openFile(): Promise<OpenFile> {
    const path = await this.#disk.resolve(this.#path);
    const unlock = await this.#disk.lock(path);
    try {
      const options = { disk: this.#disk, path, compactAboveBytes: this.#compactAboveBytes };
      return { journaled: await JournaledTables.open(options), unlock };
    } catch (error) {
      await unlock();
      throw error;
    }
  }

  async #shutDown(): Promise<void> {
    await this.#writing;
    // A file that could not be opened needs no closing; the caller was told.
    const file = await this.#opening?.catch(() => undefined);
    try {
      await file?.journaled.close();
    } finally {
      await file?.unlock();
    }
  }

  #refuseClosed(): void {
    if (this.#closing !== undefined) throw closedError(`The FileStorage of ${this.#path}`);
  }

  #storageError(error: unknown): unknown {
    if (error instanceof StorageError) return error;
    if (hasErrno(error, 'ENOSPC') || hasErrno(error, 'EDQUOT')) {
      return new StorageError(
        'FULL',
        `No room to write ${this.#path}: nothing was stored. Free some space and try again.`,
        {
          cause: error,
        },
      );
    }
    return new StorageError('FAILED', `Could not read or write ${this.#path}. See the cause of this error.`, {
      cause: error,
    });
  }
}

interface OpenFile {
  readonly journaled: JournaledTables;
  readonly unlock: () => Promise<void>;
}

interface WaitingBatch extends WrittenBatch {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Judgement {
  readonly accepted: readonly WaitingBatch[];
  readonly refused: readonly { readonly waiting: WaitingBatch; readonly error: unknown }[];
  /** Whether an accepted batch must be on the disk before it is reported. */
  readonly isSynced: boolean;
}

/** Which of the batches find what they expect, each after the ones before it. */
function judge(group: readonly WaitingBatch[], stored: ClientMeta | null): Judgement {
  const accepted: WaitingBatch[] = [];
  const refused: { readonly waiting: WaitingBatch; readonly error: unknown }[] = [];
  let isSynced = false;
  let meta = stored;
  for (const waiting of group) {
    try {
      checkExpected(waiting.batch, meta);
    } catch (error) {
      refused.push({ waiting, error });
      continue;
    }
    accepted.push(waiting);
    isSynced ||= !canBeAskedAgain(waiting.batch, meta);
    meta = waiting.batch.meta ?? meta;
  }
  return { accepted, refused, isSynced };
}
