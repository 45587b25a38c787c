/** A storage that fails when a test says so, to prove that an app loses nothing when the disk is full. */
import type { RecordRef } from '@objectql/sync-types';
import type { BaseRecord, ClientState, ClientStorage, StorageBatch } from '../storage/client-storage.js';
import { StorageError } from '../storage/storage-error.js';

/** The operations of a storage. */
export type StorageOperation = 'load' | 'commit' | 'getRecords' | 'listRecords' | 'close';

/** One planned failure. */
export interface StorageFault {
  /** Which operation fails, counted from 1: the n-th of all, or the n-th of those in `of`. */
  readonly nth: number;
  /** Counts and fails only operations of this kind. */
  readonly of?: StorageOperation;
  /**
   * `before`: nothing was done, as when the disk is full. `after`: it was done but the caller does not know, as when
   * the process that asked for it is gone.
   */
  readonly when: 'before' | 'after';
}

/** What runs before each call of an operation, and is given what the call is. */
type Hooks = { [Operation in StorageOperation]?: (...call: Parameters<ClientStorage[Operation]>) => unknown };

/**
 * `inner` with faults: those planned, which are `StorageError`s of code `FAILED`, and those switched on by `fail` or
 * `before`. All other calls go through.
 *
 * ```text
 * const storage = new FaultStorage(new MemoryStorage());
 * storage.fail('commit', new Error('The disk is full.'));
 * await engine.flush(); // rejects; what was recorded stays in memory
 * storage.heal();
 * await engine.flush(); // durable now
 *
 * const late = new FaultStorage(new MemoryStorage(), [{ nth: 2, of: 'commit', when: 'after' }]);
 * ```
 */
export class FaultStorage implements ClientStorage {
  /** That of `inner`: tabs may share the one as they may the other. */
  readonly sharedName?: string;
  readonly #inner: ClientStorage;
  readonly #plan: readonly StorageFault[];
  #hooks: Hooks = {};
  readonly #operations: StorageOperation[] = [];
  readonly #commits: StorageBatch[] = [];

  constructor(inner: ClientStorage, plan: readonly StorageFault[] = []) {
    this.#inner = inner;
    if (inner.sharedName !== undefined) this.sharedName = inner.sharedName;
    this.#plan = plan;
  }

  /** The operations so far, in order, e.g. to find out how many faults to plan. */
  get operations(): readonly StorageOperation[] {
    return this.#operations;
  }

  /** The batches that were stored, in their order. */
  get commits(): readonly StorageBatch[] {
    return this.#commits;
  }

  /** Lets every call of `operation` reject with `error`, until `heal`. */
  fail(operation: StorageOperation, error: Error): void {
    this.before(operation, () => {
      throw error;
    });
  }

  /**
   * Lets every call of `operation` wait for `hook`, which gets what the call was given, and reject with what that throws,
   * until `heal`.
   */
  before<Operation extends StorageOperation>(operation: Operation, hook: NonNullable<Hooks[Operation]>): void {
    this.#hooks[operation] = hook;
  }

  /** Ends what `fail` and `before` began. */
  heal(): void {
    this.#hooks = {};
  }

  onLost(listener: () => void): void {
    this.#inner.onLost?.(listener);
  }

  load(): Promise<ClientState> {
    return this.#run('load', [], () => this.#inner.load());
  }

  commit(batch: StorageBatch): Promise<void> {
    return this.#run('commit', [batch], async () => {
      await this.#inner.commit(batch);
      this.#commits.push(batch);
    });
  }

  getRecords(refs: readonly RecordRef[]): Promise<readonly (BaseRecord | undefined)[]> {
    return this.#run('getRecords', [refs], () => this.#inner.getRecords(refs));
  }

  listRecords(objectName: string): Promise<readonly BaseRecord[]> {
    return this.#run('listRecords', [objectName], () => this.#inner.listRecords(objectName));
  }

  close(): Promise<void> {
    return this.#run('close', [], () => this.#inner.close());
  }

  async #run<Operation extends StorageOperation, T>(
    operation: Operation,
    call: Parameters<ClientStorage[Operation]>,
    work: () => Promise<T>,
  ): Promise<T> {
    this.#operations.push(operation);
    const hook = this.#hooks[operation];
    if (hook) await hook(...call);
    const fault = this.#dueFault(operation);
    if (fault?.when === 'before') throw injected(fault, operation);
    const result = await work();
    if (fault) throw injected(fault, operation);
    return result;
  }

  #dueFault(operation: StorageOperation): StorageFault | undefined {
    const nthOfAll = this.#operations.length;
    const nthOfKind = this.#operations.filter((other) => other === operation).length;
    return this.#plan.find(({ nth, of }) =>
      of === undefined ? nth === nthOfAll : of === operation && nth === nthOfKind,
    );
  }
}

function injected({ nth, when }: StorageFault, operation: StorageOperation): StorageError {
  return new StorageError('FAILED', `The test planned that ${operation} fails ${when} it is done, as number ${nth}.`);
}
