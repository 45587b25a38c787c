/**
 * Sync of a local ObjectStack data engine, on Node and edge: the application writes and reads through the engine as ever.
 * The package's `/objectstack` entry.
 *
 * ```text
 * engine.insert ─▶ record + outbox, one transaction ─▶ mutation in the log ─▶ server
 * engine.find   ◀─ record, one transaction each     ◀─ what the user sees: base + pending
 * ```
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type JsonObject, jsonEquals, type RecordRef } from '@objectql/sync-types';
import {
  AS_SYSTEM,
  type DataEngine,
  type EngineContext,
  type EngineOperation,
  idsAfterInsert,
  idsBeforeWrite,
  isWrite,
  type KernelContext,
  type KernelPlugin,
} from '@objectql/sync-types/kernel';
import { isWrongUser } from '../failure-event.js';
import type { LocalRecord } from '../rebase.js';
import type { SyncPlugin } from '../sync-plugin.js';
import { SyncUsageError } from '../sync-usage-error.js';
import { TurnQueue } from '../turn-queue.js';
import { defineLocalObjects, KNOWN } from './local-objects.js';
import { isKnown, Outbox, setKnown } from './outbox.js';
import { changedIn, ownFields } from './own-fields.js';

export interface DataEngineSyncOptions {
  /** The objects to sync. Default: those whose definitions say `sync: { enabled: true }`. */
  readonly objects?: readonly string[];
}

/** A plugin beside `SyncPlugin`, on a kernel with the service `objectql`. */
export class DataEngineSync implements KernelPlugin {
  readonly name = '@objectql/plugin-sync/objectstack';
  readonly version = '1.0.0';
  readonly dependencies = ['@objectql/plugin-sync', 'com.objectstack.engine.objectql'];
  readonly #options: DataEngineSyncOptions;
  /** Set while a change of the server's is written: it is not recorded again. */
  readonly #applying = new AsyncLocalStorage<true>();
  /** Runs what must not see the transaction of the code that happens to call it. */
  readonly #outside = AsyncLocalStorage.snapshot();
  readonly #turns = new TurnQueue();
  readonly #lastByObject = new Map<string, ReadonlyMap<string, LocalRecord>>();
  #names: readonly string[] = [];
  #parts: Parts | undefined;
  #stops: readonly (() => void)[] = [];

  constructor(options: DataEngineSyncOptions = {}) {
    this.#options = options;
  }

  /** Defines what sync notes in the engine, so that the engine makes the tables when it starts. */
  init(context: KernelContext): void {
    const engine = context.getService<DataEngine>('objectql');
    const { client } = context.getService<SyncPlugin>('sync');
    defineLocalObjects(engine);
    const onFailed = (error: unknown) => client.listeners.report(error);
    this.#parts = { engine, client, outbox: new Outbox(engine, client), onFailed };
  }

  /** Begins to record what the application writes, and to write what the server sends. */
  async start(): Promise<void> {
    const { engine, client, outbox } = this.#started();
    const names =
      this.#options.objects ??
      engine.registry
        .getAllObjects()
        .filter(isSynced)
        .map(({ name }) => name);
    const unknown = names.find((name) => !engine.registry.getObject(name));
    if (unknown) throw new Error(`Sync: there is no object '${unknown}' in the local data engine. Define it there.`);
    await engine.transaction(async () => {}, AS_SYSTEM, { require: true });
    await outbox.open();
    await this.#drain();
    engine.registerMiddleware((operation, next) => {
      const isOurs = isWrite(operation) && names.includes(operation.object) && this.#stops.length > 0;
      return isOurs && !this.#applying.getStore() ? this.#write(operation, next) : next();
    });
    this.#names = names;
    for (const name of names) await this.#enrol(name);
    this.#stops = names.map((name) => client.records.watchAll(name, (records) => this.#look(name, records)));
  }

  /** Resolves once the engine has all that sync knew when this was called. */
  async settled(): Promise<void> {
    const { client } = this.#started();
    for (const name of this.#names) await this.#look(name, await client.records.list(name));
    await this.#turns.idle();
  }

  /** Ends recording and writing; what is committed and not yet recorded is at the next start. */
  async destroy(): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#stops = [];
    await this.#turns.idle();
  }

  /** A write of the application: it and its note commit together, or neither does. */
  async #write(operation: EngineOperation, next: () => Promise<void>): Promise<void> {
    const { engine, client } = this.#started();
    client.configs.refuseReadOnly(operation.object);
    // Noted here, it would be sent as the work of the user whose storage this is.
    await client.open().catch((error: unknown) => {
      if (isWrongUser(error)) throw error;
    });
    const given = operation.context?.transaction;
    const work = async (transaction: unknown, isOwned: boolean) => {
      const context = { ...AS_SYSTEM, transaction };
      const ids = await idsBeforeWrite(operation, engine);
      const before = await readAll(engine, { objectName: operation.object, ids, context });
      await next();
      await this.#note(operation, { before, context });
      if (!isOwned) this.#drainAfter(transaction);
      return isOwned;
    };
    const isOwned =
      given === undefined
        ? await engine.transaction(({ transaction }, { owned }) => work(transaction, owned), AS_SYSTEM, {
            require: true,
          })
        : await work(given, false);
    if (isOwned) await this.#drain();
  }

  /** Records what is noted. What fails is told and tried again with the next write: the app's own work goes on. */
  async #drain(): Promise<void> {
    const { outbox, onFailed } = this.#started();
    await this.#outside(() => outbox.drain()).catch((error: unknown) => onFailed(error));
  }

  /** Records what a transaction of the application's notes, once that has committed. */
  #drainAfter(transaction: unknown): void {
    // Knex, under ObjectStack's SQL drivers, resolves this at the commit; elsewhere it waits for the next write or start.
    const { executionPromise } = transaction as { readonly executionPromise?: unknown };
    if (!(executionPromise instanceof Promise)) return;
    executionPromise.then(
      () => this.#drain(),
      () => {},
    );
  }

  async #note(
    operation: EngineOperation,
    { before, context }: { readonly before: ReadonlyMap<string, JsonObject>; readonly context: EngineContext },
  ): Promise<void> {
    const { engine, outbox } = this.#started();
    const objectName = operation.object;
    const ids = [...before.keys(), ...idsAfterInsert(operation)];
    const after = await readAll(engine, { objectName, ids, context });
    const fields = ownFields(engine.registry.getObject(objectName));
    for (const recordId of ids) {
      const [old, now] = [before.get(recordId), after.get(recordId)];
      const ref = { objectName, recordId };
      const wasKnown = old !== undefined && (await isKnown(engine, ref, context));
      const data = changedIn(fields, wasKnown ? old : {}, now ?? {});
      if (!now && wasKnown) await outbox.note({ ...ref, operation: 'delete' }, context);
      // Also one that could not be enrolled: the server has not got the rest of it.
      else if (now && !wasKnown) await outbox.note({ ...ref, operation: 'create', data }, context);
      else if (now && Object.keys(data).length > 0) await outbox.note({ ...ref, operation: 'update', data }, context);
      await setKnown(engine, ref, { isKnown: now !== undefined, context });
    }
  }

  /** Records that were in the engine before sync are recorded as created here. */
  async #enrol(objectName: string): Promise<void> {
    const { engine, outbox, onFailed } = this.#started();
    const known = await engine.find(KNOWN, { where: { object_name: objectName } }, { context: AS_SYSTEM });
    const knownIds = new Set(known.map((row) => row.record_id));
    const rows = await engine.find(objectName, {}, { context: AS_SYSTEM });
    const fields = ownFields(engine.registry.getObject(objectName));
    const fresh = rows.filter(({ id }) => !knownIds.has(id));
    if (fresh.length === 0) return;
    await engine.transaction(
      async ({ transaction }) => {
        const context = { ...AS_SYSTEM, transaction };
        for (const row of fresh) {
          const ref = { objectName, recordId: String(row.id) };
          try {
            await outbox.note({ ...ref, operation: 'create', data: changedIn(fields, {}, row) }, context);
          } catch (error) {
            if (!(error instanceof SyncUsageError)) throw error;
            // It stays as it is, on this device alone.
            onFailed(error);
            continue;
          }
          await setKnown(engine, ref, { isKnown: true, context });
        }
      },
      AS_SYSTEM,
      { require: true },
    );
    await this.#drain();
  }

  /** Told of all records of an object as the user sees them: writes those into the engine that changed since last told. */
  async #look(objectName: string, records: readonly LocalRecord[]): Promise<void> {
    const now = new Map(records.map((record) => [String(record.recordId), record]));
    const last = this.#lastByObject.get(objectName);
    this.#lastByObject.set(objectName, now);
    const changed = [...now].filter(([id, record]) => !isSame(last?.get(id), record)).map(([id]) => id);
    // At first the engine's own memory says what may be gone: an earlier process may have ended before it wrote that.
    const gone = last ? [...last.keys()] : await this.#knownIds(objectName);
    const ids = [...changed, ...gone.filter((id) => !now.has(id))];
    await this.#turns.take(async () => {
      for (const recordId of ids) await this.#apply({ objectName, recordId });
    });
  }

  async #knownIds(objectName: string): Promise<readonly string[]> {
    const query = { where: { object_name: objectName } };
    const rows = await this.#started().engine.find(KNOWN, query, { context: AS_SYSTEM });
    return rows.map((row) => String(row.record_id));
  }

  /** Writes what the user sees of one record into the engine, in a transaction of its own. */
  async #apply(ref: RecordRef & { readonly recordId: string }): Promise<void> {
    const { engine, onFailed } = this.#started();
    try {
      await this.#outside(() =>
        this.#applying.run(true, () =>
          engine.transaction(({ transaction }) => this.#applyIn(ref, { ...AS_SYSTEM, transaction }), AS_SYSTEM, {
            require: true,
          }),
        ),
      );
    } catch (error) {
      onFailed(error);
    }
  }

  async #applyIn(ref: RecordRef & { readonly recordId: string }, context: EngineContext): Promise<void> {
    const { engine, client, outbox } = this.#started();
    // What the application wrote and is not recorded yet comes first; then this is looked at again.
    if (await outbox.has(ref, context)) return;
    const { objectName, recordId } = ref;
    const seen = await client.records.get(ref);
    const row = (await readAll(engine, { objectName, ids: [recordId], context })).get(recordId);
    const fields = ownFields(engine.registry.getObject(objectName));
    const data = changedIn(fields, row ?? {}, seen?.data ?? {});
    if (!seen && row) await engine.delete(objectName, { where: { id: recordId }, context });
    else if (seen && !row) await engine.insert(objectName, { ...data, id: recordId }, { context });
    else if (seen && Object.keys(data).length > 0)
      await engine.update(objectName, { ...data, id: recordId }, { context });
    await setKnown(engine, ref, { isKnown: seen !== undefined, context });
  }

  #started(): Parts {
    if (!this.#parts) throw new Error('DataEngineSync is no plugin of a kernel yet. Give it to createKernel.');
    return this.#parts;
  }
}

interface Parts {
  readonly engine: DataEngine;
  readonly client: SyncPlugin['client'];
  readonly outbox: Outbox;
  readonly onFailed: (error: unknown) => void;
}

function isSynced({ sync }: { readonly sync?: unknown }): boolean {
  return typeof sync === 'object' && sync !== null && (sync as { readonly enabled?: unknown }).enabled === true;
}

interface Reading {
  readonly objectName: string;
  readonly ids: readonly string[];
  readonly context: EngineContext;
}

async function readAll(engine: DataEngine, { objectName, ids, context }: Reading): Promise<Map<string, JsonObject>> {
  const rows = ids.length === 0 ? [] : await engine.find(objectName, { where: { id: { $in: ids } } }, { context });
  return new Map(rows.map((row) => [String(row.id), JSON.parse(JSON.stringify(row)) as JsonObject]));
}

/** Most records are the very values they were. */
function isSame(last: LocalRecord | undefined, record: LocalRecord): boolean {
  return last === record || (last !== undefined && jsonEquals(last.data, record.data));
}
