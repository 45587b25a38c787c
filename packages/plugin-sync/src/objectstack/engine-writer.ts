/** Writes what the user sees into a local data engine: each record is tried until it succeeds. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type JsonObject, jsonEquals, recordKey } from '@objectql/sync-types';
import {
  AS_SYSTEM,
  type EngineContext,
  type EngineOperation,
  type EngineTransactionInfo,
  idsBeforeWrite,
  isPlaceholderId,
} from '@objectql/sync-types/kernel';
import { Retry } from '../cycle/retry.js';
import { TurnQueue } from '../log/turn-queue.js';
import type { LocalRecord } from '../records/rebase.js';
import type { EngineParts } from './engine-parts.js';
import { type EngineRef, placeholderError, sharesByObject } from './engine-ref.js';
import { findShown } from './find-shown.js';
import { addKnown, forgetKnown, isKnown, knownAmong, knownIds } from './known-records.js';
import { changedIn, ownFields } from './own-fields.js';
import { updatePastHooks, writePastDefinitions, writePastHooks } from './past-definitions.js';
import { type Reading, readRows } from './read-rows.js';
import { readSeen } from './seen-record.js';

/** A record that is being written, for the code that this calls. */
interface Writing {
  readonly writer: EngineWriter;
  readonly ref: EngineRef;
  /** Whether hooks and cascades are skipped. */
  readonly isPastHooks: boolean;
  /** What the engine was asked to do with it, once it was: further writes come from hooks and cascades. */
  asked: EngineOperation['operation'] | undefined;
}

/** What the engine has of the records of one object that are to be written. */
interface Before {
  /** Of which something waits to be recorded. */
  readonly waiting: ReadonlySet<string>;
  readonly rows: ReadonlyMap<string, JsonObject>;
  /** Those that sync knows. */
  readonly known: ReadonlySet<string>;
}

interface Applied {
  readonly isKnown: boolean;
  /** To be called if the transaction fails after all. */
  readonly takeBack: () => void;
}

/** What a turn is to write, and records of which the engine already shows the data. */
interface Found {
  readonly refs: readonly EngineRef[];
  readonly restated: readonly LocalRecord[];
}

/** 20 records in one transaction: the application's own writes wait for it, some tens of milliseconds. */
const WRITTEN_TOGETHER = 20;

const NOTHING: Found = { refs: [], restated: [] };

/**
 * Set while a server change is written, so that it is not recorded again. One for all writers: with every promise, Node
 * 20 looks at each one ever made.
 */
const writingNow = new AsyncLocalStorage<Writing>();

/** Writes what the user of one client sees into one engine. */
export class EngineWriter {
  readonly #parts: EngineParts;
  readonly #turns = new TurnQueue();
  /** The records of each object that no turn has looked at yet. */
  readonly #newestByObject = new Map<string, readonly LocalRecord[]>();
  /** What the engine shows, of each object that was taken: as it was listed or, if written otherwise, as written. */
  readonly #lastByObject = new Map<string, Map<string, LocalRecord>>();
  #hasCaughtUp = false;
  /** The objects of which the engine holds no more records that were gone before this process. */
  readonly #swept = new Set<string>();
  /** Records that could not be written into the engine; they are tried again with growing delays. */
  readonly #unapplied = new Map<string, EngineRef>();
  /** Records that cascades and hooks changed along with a server's record: the user may see them otherwise. */
  readonly #takenAlong = new Map<string, EngineRef>();
  /** Writes later what failed. */
  readonly #retry: Retry;
  #isClosed = false;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#retry = new Retry(parts.platform, () => this.#applyAll(async () => NOTHING));
  }

  get #writing(): Writing | undefined {
    const writing = writingNow.getStore();
    return writing?.writer === this ? writing : undefined;
  }

  /** True in code that a write of this writer calls. */
  get isWriting(): boolean {
    return this.#writing !== undefined;
  }

  /** Carries out a write of this writer, or one that such a write calls; notes the records that it affects too. */
  async carryOut(operation: EngineOperation, objectName: string, next: () => Promise<void>): Promise<void> {
    const { engine } = this.#parts;
    const writing = this.#writing;
    const refs = (await idsBeforeWrite(operation, engine)).map((recordId) => ({ objectName, recordId }));
    const [own] = refs.filter((ref) => writing && recordKey(ref) === recordKey(writing.ref));
    if (writing && !writing.asked && own && refs.length === 1) {
      writing.asked = operation.operation;
      if (writing.isPastHooks) return writePastHooks(engine, own.recordId, operation);
      return writePastDefinitions(engine, own.recordId, { operation, next });
    }
    // Not while it writes anything else: a hook may be about to make anew what it deletes.
    const isCascade = writing?.asked === 'delete' && operation.operation === 'delete';
    if (isCascade && (await this.#keepsAll(refs, operation))) return;
    for (const ref of refs) this.#takenAlong.set(recordKey(ref), ref);
    await next();
  }

  /**
   * Whether sync itself deletes these records, once the client no longer has them. Deleted before that and put back,
   * they would lack what only this engine has, such as passwords.
   */
  async #keepsAll(refs: readonly EngineRef[], { context }: EngineOperation): Promise<boolean> {
    const { engine, client } = this.#parts;
    const options = { ...AS_SYSTEM, transaction: context?.transaction };
    for (const ref of refs) {
      if (!client.configs.keepsRecordsOf(ref.objectName) || !(await isKnown(engine, ref, options))) return false;
    }
    return true;
  }

  /**
   * Call when the client has everything the server had. Before that, a missing record may only be lost, as by a power
   * cut or with its file, and deleting it would remove what only the engine has. True while some of these objects must
   * be written to remove gone records.
   */
  catchUp(objectNames: readonly string[]): boolean {
    this.#hasCaughtUp = true;
    return objectNames.some((name) => !this.#swept.has(name));
  }

  /**
   * Takes all records of an object as the user sees them, and writes those into the engine that changed since the last
   * call.
   */
  async write(objectName: string, records: readonly LocalRecord[]): Promise<void> {
    this.#newestByObject.set(objectName, records);
    await this.#applyAll(() => this.#findChanged(objectName));
  }

  async #findChanged(objectName: string): Promise<Found> {
    const records = this.#newestByObject.get(objectName);
    if (!records) return NOTHING;
    this.#newestByObject.delete(objectName);
    const now = new Map(records.map((record) => [String(record.recordId), record]));
    const last = this.#lastByObject.get(objectName);
    this.#lastByObject.set(objectName, now);
    const changed: string[] = [];
    const restated: LocalRecord[] = [];
    for (const [id, record] of now) {
      const before = last?.get(id);
      // Most records are the same objects as before.
      if (before === record) continue;
      // If the version alone differs, its own writes are settled.
      if (before && jsonEquals(before.data, record.data)) restated.push(record);
      else changed.push(id);
    }
    // The engine's own memory tells which other records may be gone: an earlier process may have ended before it removed
    // them.
    const known = this.#hasCaughtUp ? await this.#unsweptIds(objectName) : [];
    // Gone records first: others may have their unique values by now.
    const ids = [...[...(last?.keys() ?? []), ...known].filter((id) => !now.has(id)), ...changed];
    return { refs: ids.map((recordId) => ({ objectName, recordId })), restated };
  }

  /** What the engine knows, once. If it cannot tell, nothing; the next write of the object asks again. */
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
   * Writes the records that `find` finds into the engine, those that could not be written before, and those that the
   * application has changed: what the user saw before that and after it may be the same. `find` is called inside the
   * turn: a caller that finds nothing new must still wait until earlier finds are written.
   */
  async #applyAll(find: () => Promise<Found>): Promise<void> {
    await this.#turns.take(async () => {
      const { outbox } = this.#parts;
      // What is being recorded would be left out, and looked at again with each record that is recorded after it.
      await outbox.idle();
      // The engine may be gone or have another writer, and what an earlier turn left out at the end would count as shown.
      if (this.#isClosed) return;
      const { refs, restated } = await find();
      const due = new Map(this.#unapplied);
      for (const ref of [...refs, ...outbox.takeRecorded()]) due.set(recordKey(ref), ref);
      this.#unapplied.clear();
      for (const record of restated) if (!due.has(recordKey(record))) await this.#restate(record);
      if (due.size > 1) await this.#leaveShown(due);
      for (const { refs: share } of sharesByObject([...due.values()], WRITTEN_TOGETHER)) await this.#apply(share);
      await this.#restoreTakenAlong();
      if (this.#unapplied.size + this.#takenAlong.size === 0) this.#retry.succeeded();
      else this.#retry.failed();
    });
  }

  /** Takes out of what is due the records that the engine shows already. What cannot be read is still due. */
  async #leaveShown(due: Map<string, EngineRef>): Promise<void> {
    for await (const found of findShown([...due.values()], this.#parts)) {
      for (const { ref, seen } of found) {
        this.#noteLast(ref, seen);
        due.delete(recordKey(ref));
      }
      if (this.#isClosed) return;
    }
  }

  /**
   * Notes the new version of a record that the engine shows unchanged; if it has changed again, the next call writes
   * it.
   */
  async #restate(record: LocalRecord): Promise<void> {
    const { client, shown, onFailed } = this.#parts;
    if (!shown.get(record)) return;
    try {
      const { seen, baseVersion } = await readSeen(client, record);
      if (seen && jsonEquals(record.data, seen.data)) shown.set(record, baseVersion());
    } catch (error) {
      this.#unapplied.set(recordKey(record), { ...record, recordId: String(record.recordId) });
      onFailed(error);
    }
  }

  /** Restores what the user sees of those records. Records that sync does not know stay as they are. */
  async #restoreTakenAlong(): Promise<void> {
    const { client, onFailed } = this.#parts;
    const restored = new Set<string>();
    // Records that this affects in turn are appended to the map, and come later.
    for (const [key, ref] of this.#takenAlong) {
      try {
        const isSeen = (await client.records.get(ref)) !== undefined;
        this.#takenAlong.delete(key);
        // A record's hooks run once: hooks that trigger each other would go on for ever.
        if (isSeen) await this.#apply([ref], { isPastHooks: restored.has(key) });
        restored.add(key);
      } catch (error) {
        onFailed(error);
      }
    }
  }

  /** Writes records of one object as the user sees them: in one transaction or, if that fails, each in its own. */
  async #apply(refs: readonly EngineRef[], { isPastHooks } = { isPastHooks: false }): Promise<void> {
    const { onFailed } = this.#parts;
    // Others may be many, and the kernel does not wait for long. The next start writes them.
    if (this.#isClosed) return;
    for (const ref of refs) if (isPlaceholderId(ref.recordId)) onFailed(placeholderError(ref));
    const named = refs.filter(({ recordId }) => !isPlaceholderId(recordId));
    const [first, ...others] = named;
    if (!first) return;
    try {
      await this.#applyTogether(named, { writer: this, ref: first, isPastHooks, asked: undefined });
    } catch (error) {
      if (others.length > 0) {
        for (const ref of named) await this.#apply([ref], { isPastHooks });
        return;
      }
      this.#unapplied.set(recordKey(first), first);
      onFailed(error);
    }
  }

  async #applyTogether(refs: readonly EngineRef[], writing: Writing): Promise<void> {
    const { engine, turns, outside } = this.#parts;
    const { objectName } = writing.ref;
    const takeBacks: (() => void)[] = [];
    const work = async ({ transaction }: EngineTransactionInfo) => {
      const reading = { objectName, ids: refs.map(({ recordId }) => recordId), context: { ...AS_SYSTEM, transaction } };
      const before = await this.#lookUp(reading);
      const now = new Set(before.known);
      for (const ref of refs) {
        // The kernel does not wait for long; the next start writes the others.
        if (this.#isClosed) break;
        const applied = await writingNow.run({ ...writing, ref }, () => this.#applyIn(ref, before, reading.context));
        if (!applied) continue;
        takeBacks.push(applied.takeBack);
        if (applied.isKnown) now.add(ref.recordId);
        else now.delete(ref.recordId);
      }
      await addKnown(engine, { ...reading, ids: [...now].filter((id) => !before.known.has(id)) });
      await forgetKnown(engine, { ...reading, ids: [...before.known].filter((id) => !now.has(id)) });
    };
    try {
      await outside(() => writingNow.run(writing, () => turns.transaction(work)));
    } catch (error) {
      for (const takeBack of takeBacks.toReversed()) takeBack();
      throw error;
    }
  }

  async #lookUp(reading: Reading): Promise<Before> {
    const { engine, outbox } = this.#parts;
    return {
      waiting: await outbox.waitingAmong(reading),
      rows: await readRows(engine, reading),
      known: await knownAmong(engine, reading),
    };
  }

  /** Answers whether sync knows the record now, and what to do if the transaction fails; nothing where it is left alone. */
  async #applyIn(ref: EngineRef, before: Before, context: EngineContext): Promise<Applied | undefined> {
    const { engine, client, shown } = this.#parts;
    // What the application wrote but sync has not recorded comes first; this record is then tried again.
    if (before.waiting.has(ref.recordId)) {
      this.#unapplied.set(recordKey(ref), ref);
      return undefined;
    }
    const { objectName, recordId } = ref;
    const { seen, baseVersion } = await readSeen(client, ref);
    // The client keeps nothing of a push-only record once it is settled; the engine's record stays.
    if (!seen && !client.configs.keepsRecordsOf(objectName)) return undefined;
    const row = before.rows.get(recordId);
    const fields = ownFields(engine, objectName);
    const data = changedIn(fields, row ?? {}, seen?.data ?? {});
    const write = { ...data, id: recordId };
    // A record that sync does not know is the application's own, as from before sync.
    if (!seen && row && before.known.has(recordId))
      await engine.delete(objectName, { where: { id: recordId }, context });
    else if (seen && (!row || Object.keys(data).length > 0)) {
      const written = row
        ? await engine.update(objectName, write, { context })
        : await engine.insert(objectName, write, { context });
      // Defaults and hooks of this engine or its tables may have altered it.
      const rest = changedIn(fields, Object(written), seen.data);
      if (Object.keys(rest).length > 0) await updatePastHooks(engine, ref, { data: rest, context });
    }
    this.#noteLast(ref, seen);
    // Set before the commit: right after it, the application may write on top of this version.
    return { isKnown: seen !== undefined, takeBack: shown.set(ref, seen && baseVersion()) };
  }

  /** What was listed may be older or newer than what is written. */
  #noteLast({ objectName, recordId }: EngineRef, seen: LocalRecord | undefined): void {
    const last = this.#lastByObject.get(objectName);
    if (!seen) last?.delete(recordId);
    else if (!jsonEquals(last?.get(recordId)?.data, seen.data)) last?.set(recordId, seen);
  }

  /** Finishes the current write, then tries and takes nothing more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retry.stop();
    await this.#turns.idle();
  }
}
