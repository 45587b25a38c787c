/**
 * Records what the application writes through a local data engine.
 *
 *   write + note, one transaction ──committed──▶ drain ─▶ mutation in the log
 */
import type { JsonObject, RecordRef } from '@objectql/sync-types';
import {
  AS_SYSTEM,
  type EngineContext,
  type EngineOperation,
  type EngineRow,
  type EngineTransactionInfo,
  executionOf,
  holdCommit,
  idsAfterInsert,
  idsBeforeWrite,
  isPlaceholderId,
  refuseCommit,
} from '@objectql/sync-types/kernel';
import { Retry } from '../cycle/retry.js';
import { checkNewMutation } from '../log/new-mutation.js';
import { isWrongUser, SyncUsageError, type SyncUsageErrorCode } from '../sync-usage-error.js';
import type { EngineParts } from './engine-parts.js';
import { type EngineRef, placeholderError } from './engine-ref.js';
import { enrolRecords } from './enrol-records.js';
import { addKnown, forgetKnown, knownAmong } from './known-records.js';
import type { Noted } from './outbox.js';
import { changedIn, ownFields } from './own-fields.js';
import { readRows } from './read-rows.js';
import { readSeen } from './seen-record.js';
import type { Shown } from './shown-versions.js';

/** A write that is refused so is refused at each try. */
const FINAL: readonly SyncUsageErrorCode[] = ['INVALID_MUTATION', 'NOT_ENABLED', 'READ_ONLY'];

/** A write of the application, on its way through the engine. */
interface Write {
  readonly operation: EngineOperation;
  readonly objectName: string;
  readonly next: () => Promise<void>;
}

/** The records that a write names, before the write. */
interface Written {
  readonly objectName: string;
  /** Those that a user can write. */
  readonly fields: readonly string[];
  readonly ids: readonly string[];
  readonly before: ReadonlyMap<string, JsonObject>;
  readonly context: EngineContext;
}

/** A record that sync knows, or is new to it, and what a write has made of it. */
interface Change {
  readonly old: JsonObject | undefined;
  readonly now: JsonObject | undefined;
  /** Those that a user can write. */
  readonly fields: readonly string[];
}

/** Records the writes of one engine in the log of one client. */
export class EngineRecorder {
  readonly #parts: EngineParts;
  /** Records notes later that could not be recorded. */
  readonly #retry: Retry;
  /** Set once writes committed from now on wait in the outbox for the next start. */
  #isEnded = false;
  /** Set once the storage turned out to be another user's. */
  #wrongUser: unknown;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#retry = new Retry(parts.platform, () => this.drain());
  }

  /** Carries out a write of the application: it and its note commit together, or neither does. */
  async carryOut(operation: EngineOperation, objectName: string, next: () => Promise<void>): Promise<void> {
    try {
      await this.#carryOut({ operation, objectName, next });
    } catch (error) {
      // By the status REST, and a server that writes here for a device, know that another try changes nothing.
      if (error instanceof SyncUsageError && FINAL.includes(error.code)) Object.assign(error, { status: 422 });
      throw error;
    }
  }

  /** Records the records that were in the engine before sync as created here. */
  async enrol(objectNames: readonly string[]): Promise<void> {
    if (!(await this.#isOwn())) return;
    for (const objectName of objectNames) await enrolRecords(objectName, this.#parts);
  }

  /** Records the notes. A failure is reported and tried again with growing delays: the app's own work goes on. */
  async drain(): Promise<void> {
    if (this.#isEnded) return;
    const { outbox, onFailed, outside } = this.#parts;
    try {
      await outside(() => outbox.drain());
      this.#retry.succeeded();
    } catch (error) {
      onFailed(error);
      // Another user's storage stays another user's.
      if (isWrongUser(error)) this.#retry.stop();
      else this.#retry.failed();
    }
  }

  /** Ends recording. What is committed but not recorded, now or later, is recorded at the next start. */
  async close(): Promise<void> {
    await this.#isOwn();
    this.#isEnded = true;
    this.#retry.stop();
    await this.#parts.outbox.idle();
  }

  async #carryOut(write: Write): Promise<void> {
    const { client, turns } = this.#parts;
    const refusal = client.configs.refusalOf(write.objectName);
    if (refusal) throw refusal;
    await this.#refuseWrongUser();
    const isOwned = await turns.transaction(async (info) => {
      const written = this.#writeIn(info, write);
      // A hook may have begun it without awaiting it.
      await (info.owned ? written : holdCommit(info.transaction, written));
      return info.owned;
    }, write.operation.context?.transaction);
    if (isOwned) await this.drain();
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
    await this.#parts.client.open().catch((error: unknown) => {
      if (isWrongUser(error)) this.#wrongUser = error;
    });
    if (this.#wrongUser) throw this.#wrongUser;
  }

  /** Writes and notes in a transaction of this write's own, or in one that it has joined. */
  async #writeIn({ transaction, owned }: EngineTransactionInfo, { operation, objectName, next }: Write): Promise<void> {
    const { engine } = this.#parts;
    const context = { ...AS_SYSTEM, transaction };
    // With `null`, which keeps it out of the running code's transaction, the engine would write beside this one as well.
    if (operation.context?.transaction === null)
      Object.assign(operation, { context: { ...operation.context, transaction } });
    // Also if the write fails: see below.
    if (!owned) this.#drainAfter(transaction);
    const ids = await idsBeforeWrite(operation, engine);
    const before = await readRows(engine, { objectName, ids, context });
    const written = { objectName, fields: ownFields(engine, objectName), ids, before, context };
    this.#refuseUnrecordable(operation, written);
    try {
      await next();
    } catch (error) {
      // A hook that throws after the write does not undo it if the app catches that in a transaction of its own. Without
      // the note that cannot commit, and on PostgreSQL none can be made after what the database refused.
      if (!owned) await this.#note(operation, written).catch(() => {});
      throw error;
    }
    await this.#note(operation, written);
  }

  /** Records the notes of an application's transaction, once it has committed. */
  #drainAfter(transaction: unknown): void {
    // If there is none, the next write or start records them.
    executionOf(transaction)?.then(
      () => this.drain(),
      () => {},
    );
  }

  /**
   * Throws before the write for data that could never be recorded: later the app could catch that in a transaction of
   * its own.
   */
  #refuseUnrecordable({ operation, data }: EngineOperation, { objectName, fields, before }: Written): void {
    if (operation === 'delete') return;
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

  async #note(operation: EngineOperation, written: Written): Promise<void> {
    const { engine, outbox, onFailed } = this.#parts;
    const { objectName, fields, before, context } = written;
    try {
      const named = [...new Set([...written.ids, ...idsAfterInsert(operation)])];
      for (const recordId of named.filter(isPlaceholderId)) onFailed(placeholderError({ objectName, recordId }));
      const ids = named.filter((id) => !isPlaceholderId(id));
      const after = await readRows(engine, { objectName, ids, context });
      const known = await knownAmong(engine, { objectName, ids, context });
      const noted: Noted[] = [];
      for (const recordId of ids) {
        // A record that could not be enrolled is new: the server does not have the rest of it.
        const old = known.has(recordId) ? before.get(recordId) : undefined;
        const note = await this.#noteOf({ objectName, recordId }, { old, now: after.get(recordId), fields });
        if (note) noted.push(note);
      }
      await outbox.note(noted, context);
      const [kept, gone] = [ids.filter((id) => after.has(id)), ids.filter((id) => !after.has(id))];
      await addKnown(engine, { objectName, ids: kept.filter((id) => !known.has(id)), context });
      await forgetKnown(engine, { objectName, ids: gone.filter((id) => known.has(id)), context });
    } catch (error) {
      // The record is written, and the app may catch this error: without its note the write would never be sent.
      refuseCommit(context.transaction, error);
      throw error;
    }
  }

  /** What is to be noted of a record: nothing if it is as before. */
  async #noteOf(ref: EngineRef, { old, now, fields }: Change): Promise<Noted | undefined> {
    const data = changedIn(fields, old ?? {}, now ?? {});
    if (!old) return now && { ...ref, operation: 'create', data };
    const base = this.#parts.shown.get(ref) ?? (await this.#compare(ref, old, fields));
    if (!now) return { ...ref, operation: 'delete', base };
    return Object.keys(data).length > 0 ? { ...ref, operation: 'update', data, base } : undefined;
  }

  /** What the engine shows, if that is not known yet: the client's version if both have the same data, else none. */
  async #compare(ref: RecordRef, row: JsonObject, fields: readonly string[]): Promise<Shown> {
    const { client } = this.#parts;
    // A failing storage must not keep the app from writing.
    const { seen, baseVersion } = (await readSeen(client, ref).catch(() => undefined)) ?? {};
    const isSame = seen !== undefined && Object.keys(changedIn(fields, row, seen.data)).length === 0;
    return { version: (isSame && baseVersion?.()) || null, epochs: client.log.meta.epochs };
  }
}
