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
import type { JsonObject, RecordRef } from '@objectql/sync-types';
import {
  AS_SYSTEM,
  commitTransaction,
  type DataEngine,
  definedNameOf,
  type EngineContext,
  type EngineOperation,
  type EngineRow,
  executionOf,
  idsAfterInsert,
  idsBeforeWrite,
  isPlaceholderId,
  isWrite,
  type KernelContext,
  type KernelPlugin,
  refuseCommit,
  STORED_FILES,
} from '@objectql/sync-types/kernel';
import { version } from '../../package.json';
import { checkNewMutation } from '../log/new-mutation.js';
import type { SyncPlugin } from '../sync-plugin.js';
import { isWrongUser, SyncUsageError } from '../sync-usage-error.js';
import { EngineWriter, type EngineWriterParts, placeholderId } from './engine-writer.js';
import { isKnown, knownIds, setKnown } from './known-records.js';
import { defineLocalObjects } from './local-objects.js';
import { Outbox } from './outbox.js';
import { changedIn, ownFields } from './own-fields.js';
import { readRows } from './read-rows.js';
import { Retry } from './retry.js';
import { readSeen } from './seen-record.js';
import { type Shown, ShownVersions } from './shown-versions.js';

/** Which objects of the local data engine take part. */
export interface DataEngineSyncOptions {
  /** The objects to sync. Default: those whose definitions say `sync: { enabled: true }`. */
  readonly objects?: readonly string[] | undefined;
}

/** A plugin beside `SyncPlugin`, on a kernel with the service `objectql`. */
export class DataEngineSync implements KernelPlugin {
  readonly name = '@objectql/plugin-sync/objectstack';
  readonly version = version;
  readonly dependencies = ['@objectql/plugin-sync', 'com.objectstack.engine.objectql'];
  readonly #options: DataEngineSyncOptions;
  /** The async context around `new`: in no transaction. */
  readonly #outside = AsyncLocalStorage.snapshot();
  /** The objects whose records are written here as the server has them. */
  #names: readonly string[] = [];
  #parts: Parts | undefined;
  #stops: readonly (() => void)[] = [];
  /** Set once writes committed from now on wait in the outbox for the next start. */
  #isEnded = false;
  /** Set once the storage turned out to be another user's. */
  #wrongUser: unknown;

  constructor(options: DataEngineSyncOptions = {}) {
    this.#options = options;
  }

  /**
   * Defines the objects for sync's notes, so that the engine makes their tables when it starts, and begins to note:
   * other plugins may write in their `start` before this one's, and in their `destroy` after this one's.
   */
  init(context: KernelContext): void {
    const engine = context.getService<DataEngine>('objectql');
    const { client, platform } = context.getService<SyncPlugin>('sync');
    defineLocalObjects(engine);
    const onFailed = (error: unknown) => client.listeners.report(error);
    const reached = {
      engine,
      client,
      platform,
      outbox: new Outbox(engine, { client, platform }),
      shown: new ShownVersions(client.log),
      onFailed,
      outside: this.#outside,
    };
    const writer = new EngineWriter(reached);
    this.#parts = { ...reached, writer, retry: new Retry(platform, () => this.#drain()) };
    const listener = { onSyncComplete: () => writer.catchUp(this.#names) && this.settled() };
    client.listeners.add(listener);
    this.#stops = [() => client.listeners.remove(listener)];
    noting.set(engine, this);
    engine.registerMiddleware((operation, next) => {
      if (!isWrite(operation)) return next();
      const objectName = definedNameOf(operation, engine);
      if (!this.#isNoting(engine, objectName)) return next();
      return writer.isWriting
        ? writer.carryOut(operation, objectName, next)
        : this.#write(operation, { objectName, next });
    });
  }

  /** Records earlier notes and existing records, and begins to write what the server sends. */
  async start(): Promise<void> {
    const { engine, client, writer } = this.#started();
    const names =
      this.#options.objects ??
      engine.registry
        .getAllObjects()
        .filter(isSynced)
        .map(({ name }) => name);
    // The registry finds an object named `crm__task` as `task` too; its writes are noted by its name alone.
    const unknown = names.find((name) => engine.registry.getObject(name)?.name !== name);
    if (unknown) throw new Error(`Sync: there is no object '${unknown}' in the local data engine. Define it there.`);
    // A write that is not allowed would wait in the outbox for ever, and block the server's changes of its record.
    const recorded = names.filter((name) => !client.configs.refusalOf(name));
    for (const name of (await this.#isOwn()) ? recorded : []) await this.#enrol(name);
    await this.#drain();
    // The client keeps no records of push-only objects, so there is nothing to write: the engine's own records stay.
    this.#names = names.filter((name) => client.configs.keepsRecordsOf(name));
    const stops = this.#names.map((name) => client.records.watchAll(name, (records) => writer.write(name, records)));
    this.#stops = [...this.#stops, ...stops];
  }

  /** Resolves once the engine has everything that sync knew at the time of the call. */
  async settled(): Promise<void> {
    const { client, writer } = this.#started();
    for (const name of this.#names) await writer.write(name, await client.records.list(name));
  }

  /** Ends recording and writing. What is committed but not recorded, now or later, is recorded at the next start. */
  async destroy(): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#stops = [];
    await this.#isOwn();
    this.#isEnded = true;
    this.#parts?.retry.cancel();
    await this.#parts?.outbox.idle();
    await this.#parts?.writer.close();
  }

  /** Whether this plugin notes writes of the object: only the newest plugin on an engine does. */
  #isNoting(engine: DataEngine, objectName: string): boolean {
    if (noting.get(engine) !== this) return false;
    const { objects } = this.#options;
    return objects ? objects.includes(objectName) : isSynced(engine.registry.getObject(objectName));
  }

  /** False if the storage is another user's. */
  #isOwn(): Promise<boolean> {
    return this.#refuseWrongUser().then(
      () => true,
      () => false,
    );
  }

  /** Throws if the storage is another user's: what is noted here would be sent as theirs. */
  async #refuseWrongUser(): Promise<void> {
    const { client } = this.#started();
    await client.open().catch((error: unknown) => {
      if (isWrongUser(error)) this.#wrongUser = error;
    });
    if (this.#wrongUser) throw this.#wrongUser;
  }

  /** A write of the application: it and its note commit together, or neither does. */
  async #write(
    operation: EngineOperation,
    { objectName, next }: { readonly objectName: string; readonly next: () => Promise<void> },
  ): Promise<void> {
    const { engine, client, onFailed } = this.#started();
    const refusal = client.configs.refusalOf(objectName);
    if (refusal) throw refusal;
    await this.#refuseWrongUser();
    const given = operation.context?.transaction;
    const work = async (transaction: unknown, isOwned: boolean) => {
      const context = { ...AS_SYSTEM, transaction };
      // Also if the write fails: see below.
      if (!isOwned) this.#drainAfter(transaction);
      const ids = await idsBeforeWrite(operation, engine);
      const before = await readRows(engine, { objectName, ids, context });
      const written = { objectName, ids, before, context };
      this.#refuseUnrecordable(operation, written);
      const note = async () => {
        try {
          await this.#note(operation, written);
        } catch (error) {
          // The record is written, and the app may catch this error: without its note the write would never be sent.
          refuseCommit(transaction, error);
          throw error;
        }
      };
      try {
        await next();
      } catch (error) {
        // A hook that throws after the write does not undo it if the app catches that in a transaction of its own.
        if (!isOwned) await note().catch(onFailed);
        throw error;
      }
      await note();
      return isOwned;
    };
    const isOwned =
      given === undefined
        ? await commitTransaction(engine, ({ transaction, owned }) => work(transaction, owned))
        : await work(given, false);
    if (isOwned) await this.#drain();
  }

  /** Records the notes. A failure is reported and tried again with growing delays: the app's own work goes on. */
  async #drain(): Promise<void> {
    if (this.#isEnded) return;
    const { outbox, retry, onFailed, outside } = this.#started();
    try {
      await outside(() => outbox.drain());
      retry.succeeded();
    } catch (error) {
      onFailed(error);
      // Another user's storage stays another user's.
      if (this.#isEnded || isWrongUser(error)) retry.cancel();
      else retry.failed();
    }
  }

  /** Records the notes of an application's transaction, once it has committed. */
  #drainAfter(transaction: unknown): void {
    // If there is none, the next write or start records them.
    executionOf(transaction)?.then(
      () => this.#drain(),
      () => {},
    );
  }

  /**
   * Throws before the write for data that could never be recorded: later the app could catch that in a transaction of
   * its own.
   */
  #refuseUnrecordable({ operation, data }: EngineOperation, { objectName, before }: Written): void {
    if (operation === 'delete') return;
    const fields = ownFields(this.#started().engine.registry.getObject(objectName));
    for (const given of [data].flat().map((row): EngineRow => Object(row))) {
      // JSON has no bigint; a bigint is never too large.
      const known = fields.filter((field) => typeof given[field] !== 'bigint');
      for (const [id, old] of operation === 'update' ? before : [[given.id, {}] as const]) {
        const changed = changedIn(known, old, { ...old, ...given });
        const recordId = String(id ?? 'new');
        checkNewMutation({ objectName, recordId, operation: 'create', data: changed, baseVersion: null });
      }
    }
  }

  async #note(operation: EngineOperation, { objectName, ids: named, before, context }: Written): Promise<void> {
    const { engine, outbox, shown, onFailed } = this.#started();
    const ids = [...new Set([...named, ...idsAfterInsert(operation)])];
    const after = await readRows(engine, { objectName, ids, context });
    const fields = ownFields(engine.registry.getObject(objectName));
    for (const recordId of ids) {
      const [old, now] = [before.get(recordId), after.get(recordId)];
      const ref = { objectName, recordId };
      if (isPlaceholderId(recordId)) {
        onFailed(placeholderId(ref));
        continue;
      }
      const wasKnown = old !== undefined && (await isKnown(engine, ref, context));
      const data = changedIn(fields, wasKnown ? old : {}, now ?? {});
      const base = shown.get(ref) ?? (wasKnown ? await this.#compare(ref, old, fields) : undefined);
      if (!now && wasKnown) await outbox.note({ ...ref, operation: 'delete', base }, context);
      // Also for a record that could not be enrolled: the server does not have the rest of it.
      else if (now && !wasKnown) await outbox.note({ ...ref, operation: 'create', data }, context);
      else if (now && Object.keys(data).length > 0)
        await outbox.note({ ...ref, operation: 'update', data, base }, context);
      await setKnown(engine, ref, { isKnown: now !== undefined, context });
    }
  }

  /** What the engine shows, if that is not known yet: the client's version if both have the same data, else none. */
  async #compare(ref: RecordRef, row: JsonObject, fields: readonly string[]): Promise<Shown> {
    const { client } = this.#started();
    // A failing storage must not keep the app from writing.
    const { seen, baseVersion } = (await readSeen(client, ref).catch(() => undefined)) ?? {};
    const isSame = seen !== undefined && Object.keys(changedIn(fields, row, seen.data)).length === 0;
    return { version: (isSame && baseVersion?.()) || null, epochs: client.log.meta.epochs };
  }

  /** Records the records that were in the engine before sync as created here. */
  async #enrol(objectName: string): Promise<void> {
    const { engine, outbox, onFailed } = this.#started();
    await commitTransaction(engine, async ({ transaction }) => {
      const context = { ...AS_SYSTEM, transaction };
      // Read inside the transaction: a write made meanwhile is noted by itself, and newer.
      const known = new Set<unknown>(await knownIds(engine, objectName, context));
      const rows = await engine.find(objectName, {}, { context: { ...context, ...STORED_FILES } });
      const fields = ownFields(engine.registry.getObject(objectName));
      for (const row of rows) {
        if (known.has(row.id)) continue;
        const ref = { objectName, recordId: String(row.id) };
        if (isPlaceholderId(row.id)) {
          onFailed(placeholderId(ref));
          continue;
        }
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
    });
  }

  #started(): Parts {
    if (!this.#parts) throw new Error('DataEngineSync is no plugin of a kernel yet. Give it to createKernel.');
    return this.#parts;
  }
}

/**
 * The newest plugin on each engine: middleware cannot be removed from an engine, and two would note each write twice.
 */
const noting = new WeakMap<DataEngine, DataEngineSync>();

/** The records that a write names, before the write. */
interface Written {
  readonly objectName: string;
  readonly ids: readonly string[];
  readonly before: ReadonlyMap<string, JsonObject>;
  readonly context: EngineContext;
}

interface Parts extends EngineWriterParts {
  readonly writer: EngineWriter;
  /** Records notes later that could not be recorded. */
  readonly retry: Retry;
}

function isSynced(object: { readonly sync?: unknown } | undefined): boolean {
  const sync = object?.sync;
  return typeof sync === 'object' && sync !== null && (sync as { readonly enabled?: unknown }).enabled === true;
}
