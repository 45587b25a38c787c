/** What the user sees, written into a local data engine: one transaction for each record, again until it is there. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { jsonEquals, type RecordRef, recordKey } from '@objectql/sync-types';
import {
  AS_SYSTEM,
  commitTransaction,
  type DataEngine,
  type EngineContext,
  type EngineOperation,
  idsBeforeWrite,
  isPlaceholderId,
} from '@objectql/sync-types/kernel';
import { TurnQueue } from '../log/turn-queue.js';
import type { LocalRecord } from '../records/rebase.js';
import type { SyncPlugin } from '../sync-plugin.js';
import { knownIds, setKnown } from './known-records.js';
import type { Outbox } from './outbox.js';
import { changedIn, ownFields } from './own-fields.js';
import { updatePastHooks, writePastDefinitions, writePastHooks } from './past-definitions.js';
import { readRows } from './read-rows.js';
import { Retry } from './retry.js';
import { readSeen } from './seen-record.js';
import type { ShownVersions } from './shown-versions.js';

export interface EngineWriterParts {
  readonly engine: DataEngine;
  readonly client: SyncPlugin['client'];
  readonly platform: SyncPlugin['platform'];
  readonly outbox: Outbox;
  readonly shown: ShownVersions;
  readonly onFailed: (error: unknown) => void;
  /** Runs what must not see the transaction of the code that happens to call it. */
  readonly outside: <T>(work: () => T) => T;
}

/** A record as the engine names it. */
type EngineRef = RecordRef & { readonly recordId: string };

/** A record that is being written, for what that calls. */
interface Writing {
  readonly writer: EngineWriter;
  readonly ref: EngineRef;
  /** Whether hooks and cascades are left out. */
  readonly isPastHooks: boolean;
  /** Set once the engine was asked for it: what follows is written by hooks and cascades. */
  isAsked: boolean;
}

/**
 * Set while a change of the server's is written: it is not recorded again. One for all writers, as Node 20 looks at each one there
 * ever was with every promise.
 */
const writingNow = new AsyncLocalStorage<Writing>();

/** Writes into one engine what a client says that the user sees. */
export class EngineWriter {
  readonly #parts: EngineWriterParts;
  readonly #turns = new TurnQueue();
  readonly #lastByObject = new Map<string, ReadonlyMap<string, LocalRecord>>();
  #hasCaughtUp = false;
  /** The objects of which the engine has nothing more that was gone before this process. */
  readonly #swept = new Set<string>();
  /** What could not be written into the engine: it is tried again, with growing delays. */
  readonly #unapplied = new Map<string, EngineRef>();
  /** What cascades and hooks deleted or changed with a record of the server's: its user may have it otherwise. */
  readonly #takenAlong = new Map<string, EngineRef>();
  /** Writes later what could not be written. */
  readonly #retry: Retry;
  #isClosed = false;

  constructor(parts: EngineWriterParts) {
    this.#parts = parts;
    this.#retry = new Retry(parts.platform, () => this.#applyAll(async () => []));
  }

  get #writing(): Writing | undefined {
    const writing = writingNow.getStore();
    return writing?.writer === this ? writing : undefined;
  }

  /** True in what a write of this writer's calls. */
  get isWriting(): boolean {
    return this.#writing !== undefined;
  }

  /** Carries out a write of this writer's, or one that such a write calls; notes what it takes along. */
  async carryOut(operation: EngineOperation, objectName: string, next: () => Promise<void>): Promise<void> {
    const { engine } = this.#parts;
    const writing = this.#writing;
    const refs = (await idsBeforeWrite(operation, engine)).map((recordId) => ({ objectName, recordId }));
    const [own] = refs.filter((ref) => writing && recordKey(ref) === recordKey(writing.ref));
    if (writing && !writing.isAsked && own && refs.length === 1) {
      writing.isAsked = true;
      if (writing.isPastHooks) return writePastHooks(engine, own.recordId, operation);
      return writePastDefinitions(engine, own.recordId, { operation, next });
    }
    for (const ref of refs) this.#takenAlong.set(recordKey(ref), ref);
    await next();
  }

  /**
   * Told that the client has all the server had. Before, what it has not may only be lost, as by a power cut or with its file, and a
   * delete would take along what the engine alone has. True while some of these objects are to be written for what is gone.
   */
  catchUp(objectNames: readonly string[]): boolean {
    this.#hasCaughtUp = true;
    return objectNames.some((name) => !this.#swept.has(name));
  }

  /** Told of all records of an object as the user sees them: writes those into the engine that changed since last told. */
  async write(objectName: string, records: readonly LocalRecord[]): Promise<void> {
    // Whoever goes from object to object may come here behind the end, when the engine is gone or another writer's.
    if (this.#isClosed) return;
    const now = new Map(records.map((record) => [String(record.recordId), record]));
    const last = this.#lastByObject.get(objectName);
    this.#lastByObject.set(objectName, now);
    const told = [...now].filter(([id, record]) => last?.get(id) !== record);
    const changed = told.filter(([id, record]) => !isSame(last?.get(id), record)).map(([id]) => id);
    // Those whose version alone is another: their own writes are settled.
    const restated = told
      .map(([, record]) => record)
      .filter((record) => isSame(last?.get(String(record.recordId)), record));
    await this.#applyAll(async () => {
      // The engine's own memory says what else may be gone: an earlier process may have ended before it wrote that.
      const known = this.#hasCaughtUp ? await this.#unsweptIds(objectName) : [];
      // First what is gone: others may have its unique values by now.
      const ids = [...[...(last?.keys() ?? []), ...known].filter((id) => !now.has(id)), ...changed];
      return ids.map((recordId) => ({ objectName, recordId }));
    }, restated);
  }

  /** What the engine knows, once; where it cannot tell, nothing, and the next write of the object asks again. */
  async #unsweptIds(objectName: string): Promise<readonly string[]> {
    const { engine, onFailed } = this.#parts;
    if (this.#swept.has(objectName)) return [];
    try {
      const ids = await knownIds(engine, objectName, AS_SYSTEM);
      this.#swept.add(objectName);
      return ids;
    } catch (error) {
      onFailed(error);
      return [];
    }
  }

  /**
   * Writes these records into the engine, and those that could not be written before; the engine shows `others` as they are.
   * They are found in their turn: whoever comes next and finds nothing new must not be done before they are written.
   */
  async #applyAll(find: () => Promise<readonly EngineRef[]>, others: readonly LocalRecord[] = []): Promise<void> {
    await this.#turns.take(async () => {
      const refs = await find();
      const due = new Map([...this.#unapplied, ...refs.map((ref) => [recordKey(ref), ref] as const)]);
      this.#unapplied.clear();
      for (const record of others) if (!due.has(recordKey(record))) await this.#restate(record);
      for (const ref of due.values()) await this.#apply(ref);
      await this.#restoreTakenAlong();
      if (this.#unapplied.size + this.#takenAlong.size === 0) this.#retry.succeeded();
      else if (this.#isClosed) this.#retry.cancel();
      else this.#retry.failed();
    });
  }

  /** Takes over of what the engine shows which version it is now; what has changed again is written by who is told next. */
  async #restate(record: LocalRecord): Promise<void> {
    const { client, shown, onFailed } = this.#parts;
    if (!shown.get(record)) return;
    try {
      const { seen, baseVersion } = await readSeen(client, record);
      if (seen && isSame(record, seen)) shown.set(record, baseVersion());
    } catch (error) {
      this.#unapplied.set(recordKey(record), { ...record, recordId: String(record.recordId) });
      onFailed(error);
    }
  }

  /** Brings back what the user sees. What sync knows nothing of is left as it is. */
  async #restoreTakenAlong(): Promise<void> {
    const { client, onFailed } = this.#parts;
    const restored = new Set<string>();
    // What that takes along in its turn comes behind.
    for (const [key, ref] of this.#takenAlong) {
      try {
        const isSeen = (await client.records.get(ref)) !== undefined;
        this.#takenAlong.delete(key);
        // Once with its hooks: those that answer each other would go on for ever.
        if (isSeen) await this.#apply(ref, { isPastHooks: restored.has(key) });
        restored.add(key);
      } catch (error) {
        onFailed(error);
      }
    }
  }

  /** Writes what the user sees of one record into the engine, in a transaction of its own. */
  async #apply(ref: EngineRef, { isPastHooks } = { isPastHooks: false }): Promise<void> {
    const { engine, onFailed, outside } = this.#parts;
    if (isPlaceholderId(ref.recordId)) return onFailed(placeholderId(ref));
    let takeBack = () => {};
    const work = async (transaction: unknown) => {
      takeBack = await this.#applyIn(ref, { ...AS_SYSTEM, transaction });
    };
    try {
      await outside(() =>
        writingNow.run({ writer: this, ref, isPastHooks, isAsked: false }, () =>
          commitTransaction(engine, ({ transaction }) => work(transaction)),
        ),
      );
    } catch (error) {
      takeBack();
      this.#unapplied.set(recordKey(ref), ref);
      onFailed(error);
    }
  }

  /** Returns what to do where the transaction fails after all. */
  async #applyIn(ref: EngineRef, context: EngineContext): Promise<() => void> {
    const { engine, client, outbox, shown } = this.#parts;
    // What the application wrote and is not recorded yet comes first; then this is looked at again.
    if (await outbox.has(ref, context)) {
      this.#unapplied.set(recordKey(ref), ref);
      return () => {};
    }
    const { objectName, recordId } = ref;
    const { seen, baseVersion } = await readSeen(client, ref);
    // Of what is only pushed the client has nothing once it is settled, and the engine's stays.
    if (!seen && !client.configs.keepsRecordsOf(objectName)) return () => {};
    const row = (await readRows(engine, { objectName, ids: [recordId], context })).get(recordId);
    const fields = ownFields(engine.registry.getObject(objectName));
    const data = changedIn(fields, row ?? {}, seen?.data ?? {});
    const write = { ...data, id: recordId };
    if (!seen && row) await engine.delete(objectName, { where: { id: recordId }, context });
    else if (seen && (!row || Object.keys(data).length > 0)) {
      const written = row
        ? await engine.update(objectName, write, { context })
        : await engine.insert(objectName, write, { context });
      // Defaults and hooks of this engine, or of its tables, may have made something else of it.
      const rest = changedIn(fields, Object(written), seen.data);
      if (Object.keys(rest).length > 0) await updatePastHooks(engine, ref, { data: rest, context });
    }
    await setKnown(engine, ref, { isKnown: seen !== undefined, context });
    // Before the commit, behind which the application may write on top of it.
    return shown.set(ref, seen && baseVersion());
  }

  /** Finishes what is being written, and tries and takes nothing more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retry.cancel();
    await this.#turns.idle();
  }
}

/** Why a record is left to where it is. */
export function placeholderId({ objectName, recordId }: RecordRef): Error {
  const problem = 'an id in braces is a placeholder to ObjectStack';
  return new Error(`${objectName} ${recordId} is not synced with the data engine: ${problem}. Give it another id.`);
}

/** Most records are the very values they were. */
function isSame(last: LocalRecord | undefined, record: LocalRecord): boolean {
  return last === record || (last !== undefined && jsonEquals(last.data, record.data));
}
