/** A storage that fails when a test says so: the way to prove that what uses it loses nothing. */
import type { RecordRef } from '@objectql/sync-types';
import type { BaseRecord, ClientState, ClientStorage, StorageBatch } from './client-storage.js';
import { StorageError } from './storage-error.js';

/** What a storage is asked to do. */
export type StorageOperation = keyof ClientStorage;

/** One failure. */
export interface StorageFault {
  /** Which operation fails, counted from 1: the n-th of all, or the n-th of those in `of`. */
  readonly nth: number;
  /** Counts and fails operations of this kind alone. */
  readonly of?: StorageOperation;
  /**
   * `before`: nothing was done, as when the disk is full. `after`: it was done and the caller does not know, as when the
   * process that asked for it has moved on.
   */
  readonly when: 'before' | 'after';
}

/** A storage under faults. */
export interface FaultyStorage extends ClientStorage {
  /** What it was asked to do so far, e.g. to find out how many faults there are to try. */
  readonly operations: readonly StorageOperation[];
}

/**
 * Wraps a storage so that the planned operations fail with a `StorageError` of code `FAILED`. All others go through.
 *
 * ```text
 * const storage = withStorageFaults(new MemoryStorage(), [{ nth: 2, of: 'commit', when: 'after' }]);
 * ```
 */
export function withStorageFaults(storage: ClientStorage, plan: readonly StorageFault[]): FaultyStorage {
  const operations: StorageOperation[] = [];

  async function run<T>(operation: StorageOperation, work: () => Promise<T>): Promise<T> {
    operations.push(operation);
    const nthOfAll = operations.length;
    const nthOfKind = operations.filter((other) => other === operation).length;
    const fault = plan.find(({ nth, of }) =>
      of === undefined ? nth === nthOfAll : of === operation && nth === nthOfKind,
    );
    if (fault?.when === 'before') throw injected(fault, operation);
    const result = await work();
    if (fault) throw injected(fault, operation);
    return result;
  }

  return {
    operations,
    load: (): Promise<ClientState> => run('load', () => storage.load()),
    commit: (batch: StorageBatch): Promise<void> => run('commit', () => storage.commit(batch)),
    getRecords: (refs: readonly RecordRef[]): Promise<readonly (BaseRecord | undefined)[]> =>
      run('getRecords', () => storage.getRecords(refs)),
    listRecords: (objectName: string): Promise<readonly BaseRecord[]> =>
      run('listRecords', () => storage.listRecords(objectName)),
    close: (): Promise<void> => run('close', () => storage.close()),
  };
}

function injected({ nth, when }: StorageFault, operation: StorageOperation): StorageError {
  return new StorageError('FAILED', `The test planned that ${operation} fails ${when} it is done, as number ${nth}.`);
}
