/**
 * An application's records in ObjectStack's data engine: sync writes through it, and writes that come past sync (REST,
 * jobs, hooks) reach every device. The package's `/objectql` entry; Node only.
 */
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { type JsonObject, jsonEquals, type MutationLogEntry, type RecordId, recordKey } from '@objectql/sync-types';
import { KeyedLock } from '../keyed-lock.js';
import type { Principal } from '../principal.js';
import { type RecordResolver, RejectionError, toFields, type WriteContext } from '../record-resolver.js';
import type { SyncHandler } from '../sync-handler.js';
import type { DataEngine, EngineContext, EngineHook, EngineHookContext } from './data-engine.js';
import { toRejection } from './engine-error.js';

export interface ObjectqlRecordsOptions {
  /**
   * As whom a principal writes, so that ObjectStack's own permissions hold:
   * `(principal) => ({ userId: principal?.id })`. Default: as the system, which may do everything.
   */
  readonly contextOf?: (principal: Principal | null) => EngineContext;
}

export interface FollowOptions {
  /** The objects whose writes are followed. */
  readonly objects: readonly string[];
  /** Told when a write could not be taken into the feed; it is taken with the record's next write. */
  readonly onError: (error: unknown) => void;
}

/** What ends following, and tells when all writes that were committed so far are in the feed. */
export interface Following {
  stop(): void;
  settled(): Promise<void>;
}

const AS_SYSTEM: EngineContext = { isSystem: true };

/**
 * A resolver over the data engine, and the way back:
 * ```text
 * const records = new ObjectqlRecords(() => kernel.getService('objectql'));
 * const kernel = createKernel({ plugins: [...data, new SyncProtocolPlugin({ resolver: records })] });
 * await kernel.start();
 * records.follow(kernel.syncProtocol.handler, { objects: ['task'], onError: console.error });
 * ```
 * Record ids are strings: the engine makes a string of every id, and to sync `7` and `'7'` are two records.
 */
export class ObjectqlRecords implements RecordResolver {
  readonly #engine: () => DataEngine;
  readonly #contextOf: (principal: Principal | null) => EngineContext;
  /** The record that sync itself is writing, so that its own writes are not taken for somebody else's. */
  readonly #writing = new AsyncLocalStorage<string>();

  /** `engine` is asked at every call, because the service is there only once the kernel runs. */
  constructor(engine: () => DataEngine, options: ObjectqlRecordsOptions = {}) {
    this.#engine = engine;
    this.#contextOf = options.contextOf ?? (() => AS_SYSTEM);
  }

  async getRecord(objectName: string, recordId: RecordId): Promise<JsonObject | null> {
    return typeof recordId === 'string' ? this.#read(objectName, recordId) : null;
  }

  async applyMutation(
    mutation: MutationLogEntry,
    _serverVersion: number,
    context: WriteContext,
  ): Promise<JsonObject | null> {
    const { objectName, recordId } = mutation;
    if (typeof recordId !== 'string') throw new RejectionError('INVALID', 'Record ids are strings here.');
    const written = { ...mutation, recordId };
    await this.#writing
      .run(recordKey(written), () => this.#write(written, context))
      .catch((error: unknown) => {
        throw toRejection(error);
      });
    // Read again, because defaults, computed fields and hooks change what is stored.
    return this.#read(objectName, recordId);
  }

  /**
   * Takes every committed write of these objects that does not come from sync into the feed; one that is rolled back
   * never happened. A write in no transaction waits until it is taken; a transaction ends without waiting. A crash
   * between commit and feed leaves a write out until the record's next one.
   */
  follow(handler: Pick<SyncHandler, 'recordChange'>, { objects, onError }: FollowOptions): Following {
    const lock = new KeyedLock();
    const underWay = new Set<Promise<void>>();
    let stopped = false;
    // Bound to where `follow` is called: a hook runs inside its write's transaction, and would read in it, closed or not.
    const publish = AsyncResource.bind((objectName: string, recordId: string) =>
      lock.run(recordKey({ objectName, recordId }), () => this.#publish(handler, { objectName, recordId })),
    );

    const onWrite = async (objectName: string, context: EngineHookContext): Promise<void> => {
      const recordId = idOf(context);
      if (stopped || recordId === undefined || this.#isOwn(objectName, recordId)) return;
      const committed = context.input.options?.transaction?.executionPromise;
      if (!(committed instanceof Promise)) return publish(objectName, recordId);
      const publishing = committed.then(
        () => publish(objectName, recordId).catch(onError),
        // Rolled back.
        () => {},
      );
      underWay.add(publishing);
      void publishing.finally(() => underWay.delete(publishing));
    };

    for (const objectName of objects) {
      for (const event of HOOKS)
        this.#engine().registerHook(event, (context) => onWrite(objectName, context), { object: objectName });
    }
    return {
      stop: () => {
        stopped = true;
      },
      settled: async () => {
        while (underWay.size > 0) await Promise.all(underWay);
      },
    };
  }

  #isOwn(objectName: string, recordId: string): boolean {
    return this.#writing.getStore() === recordKey({ objectName, recordId });
  }

  async #read(objectName: string, id: string): Promise<JsonObject | null> {
    const record = await this.#engine().findOne(objectName, { where: { id } }, { context: AS_SYSTEM });
    if (!record) return null;
    const { id: _, ...fields } = toFields(record);
    return fields;
  }

  async #write(mutation: MutationLogEntry & { readonly recordId: string }, context: WriteContext): Promise<void> {
    const { objectName, recordId: id, operation, data } = mutation;
    const engine = this.#engine();
    const options = { context: this.#contextOf(context.principal) };
    const exists = (await this.#read(objectName, id)) !== null;
    context.signal.throwIfAborted();
    // After a crash the same write may be asked for again, when it has been made already.
    if (operation === 'delete') {
      if (exists) await engine.delete(objectName, { where: { id }, ...options });
    } else if (operation === 'create' && !exists) await engine.insert(objectName, { ...data, id }, options);
    else await engine.update(objectName, { ...data, id }, options);
  }

  /** Brings the feed to the record's present state, and looks again: another server may have written in the meantime. */
  async #publish(
    handler: Pick<SyncHandler, 'recordChange'>,
    record: { readonly objectName: string; readonly recordId: string },
  ): Promise<void> {
    let published: JsonObject | null | undefined;
    for (;;) {
      const present = await this.#read(record.objectName, record.recordId);
      if (published !== undefined && jsonEquals(present, published)) return;
      await handler.recordChange(
        present ? { ...record, operation: 'update', data: present } : { ...record, operation: 'delete' },
      );
      published = present;
    }
  }
}

const HOOKS: readonly EngineHook[] = ['afterInsert', 'afterUpdate', 'afterDelete'];

/** An insert names its record by its result, the others by what they were asked for. */
function idOf({ input, result }: EngineHookContext): string | undefined {
  const inserted = typeof result === 'object' && result !== null ? (result as { readonly id?: unknown }).id : undefined;
  const id = input.id ?? inserted;
  return typeof id === 'string' ? id : undefined;
}
