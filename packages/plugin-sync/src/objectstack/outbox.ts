/**
 * Turns the application's writes through the local data engine into mutations; a committed write is never forgotten.
 */
import { type JsonObject, type MutationOperation, recordKey } from '@objectql/sync-types';
import {
  AS_SYSTEM,
  type DataEngine,
  type EngineContext,
  type EngineRow,
  isPostgres,
  shares,
} from '@objectql/sync-types/kernel';
import { instantOf } from '../log/instant.js';
import type { MadeBefore } from '../log/log-entry.js';
import { checkNewMutation } from '../log/new-mutation.js';
import { TurnQueue } from '../log/turn-queue.js';
import { frozenCopy } from '../storage/frozen-copy.js';
import type { SyncClient } from '../sync-client.js';
import type { SyncPlugin } from '../sync-plugin.js';
import { SyncUsageError } from '../sync-usage-error.js';
import type { EngineRef } from './engine-ref.js';
import { OUTBOX } from './local-objects.js';
import { changedIn, ownFields } from './own-fields.js';
import { type Reading, readRows } from './read-rows.js';
import { readSeen } from './seen-record.js';
import type { Shown } from './shown-versions.js';
import { INSERTED_AT_ONCE, NAMED_AT_ONCE } from './statement-share.js';

/** A write as it is noted. */
export interface Noted extends EngineRef {
  readonly operation: MutationOperation;
  readonly data?: JsonObject;
  /** What the engine showed; `undefined` if it showed nothing. */
  readonly base?: Shown | undefined;
}

/** 16 digits hold every safe integer, and sort as numbers do. */
const DIGITS = 16;

export class Outbox {
  readonly #engine: DataEngine;
  readonly #client: SyncClient;
  readonly #platform: SyncPlugin['platform'];
  readonly #turns = new TurnQueue();
  /** The highest number, once it is found. */
  #last = 0;
  #finding: Promise<void> | undefined;
  /** The transaction in which it was looked for. */
  #foundIn: unknown;
  /** The client's logs in this process: where one was forked, what the client has seen stays. */
  readonly #logIds = new Set<string>();
  /** Records of which the client keeps one, and whose notes were recorded since these were last taken. */
  #recordedRefs = new Map<string, EngineRef>();
  /** The mutations that this process has recorded, while their notes could not be removed yet. */
  readonly #recorded = new Set<string>();

  constructor(engine: DataEngine, { client, platform }: Pick<SyncPlugin, 'client' | 'platform'>) {
    this.#engine = engine;
    this.#client = client;
    this.#platform = platform;
  }

  /**
   * Notes writes, in their order, in the transaction that makes them. Throws `SyncUsageError` for one that could not be
   * recorded.
   */
  async note(noted: readonly Noted[], context: EngineContext): Promise<void> {
    for (const share of shares(noted, INSERTED_AT_ONCE)) {
      const notes: object[] = [];
      for (const one of share) notes.push(await this.#noteOf(one, context));
      await this.#engine.insert(OUTBOX, notes, { context });
    }
  }

  async #noteOf({ objectName, recordId, operation, data, base }: Noted, context: EngineContext): Promise<object> {
    checkNewMutation({ objectName, recordId, operation, data, baseVersion: null });
    const { user, logId } = this.#client.log.meta;
    this.#logIds.add(logId);
    return {
      id: String(await this.#next(context)).padStart(DIGITS, '0'),
      mutation_id: this.#platform.newId(),
      noted_at: instantOf(this.#platform.now()),
      noted_for: user,
      object_name: objectName,
      record_id: recordId,
      operation,
      data: data ? JSON.stringify(data) : null,
      base: base ? JSON.stringify({ ...base, logId }) : null,
    };
  }

  /** The next number, after those of other processes. */
  async #next(context: EngineContext): Promise<number> {
    const { transaction } = context;
    // On PostgreSQL one may still write when the next has begun; its transactions wait for this one.
    if (isPostgres(transaction) && this.#foundIn !== transaction) this.#finding = undefined;
    this.#foundIn = transaction;
    this.#finding ??= this.#find(context).catch((error) => {
      // The next note looks again.
      this.#finding = undefined;
      throw error;
    });
    await this.#finding;
    return ++this.#last;
  }

  async #find(context: EngineContext): Promise<void> {
    const query = { orderBy: [{ field: 'id', order: 'desc' } as const], limit: 1 };
    const [last] = await this.#engine.find(OUTBOX, query, { context });
    this.#last = Math.max(this.#last, Number(last?.id ?? 0));
  }

  /** Of which of these records of an object something waits to be recorded, by their ids. */
  async waitingAmong({ objectName, ids, context }: Reading): Promise<ReadonlySet<string>> {
    const where = { object_name: objectName, record_id: { $in: ids } };
    const rows = await this.#engine.find(OUTBOX, { where, fields: ['record_id'] }, { context });
    return new Set(rows.map((row) => String(row.record_id)));
  }

  /**
   * Records the notes in their order, and removes them once the mutations are durable. A write that cannot be recorded
   * stays, with the later ones of its record; other records do not wait for it. Rejects when another try may help.
   */
  async drain(): Promise<void> {
    await this.#turns.take(async () => {
      const order = [{ field: 'id', order: 'asc' } as const];
      const rows = await this.#engine.find(OUTBOX, { orderBy: order }, { context: AS_SYSTEM });
      if (rows.length === 0) return;
      await this.#client.open();
      this.#logIds.add(this.#client.log.meta.logId);
      const { recordedIds, failure } = await this.#recordAll(rows);
      await this.#client.log.flush();
      for (const ids of shares(recordedIds, NAMED_AT_ONCE)) {
        await this.#engine.delete(OUTBOX, { where: { id: { $in: ids } }, multi: true, context: AS_SYSTEM });
      }
      this.#recorded.clear();
      if (failure) throw failure;
    });
  }

  /** The records that the application has changed, as far as that was recorded since the last call. */
  takeRecorded(): Iterable<EngineRef> {
    const taken = this.#recordedRefs;
    this.#recordedRefs = new Map();
    return taken.values();
  }

  /** Resolves when nothing is being recorded. */
  idle(): Promise<void> {
    return this.#turns.idle();
  }

  /** The ids of the rows that are recorded, and an error after which another try may help. */
  async #recordAll(
    rows: readonly EngineRow[],
  ): Promise<{ readonly recordedIds: readonly unknown[]; failure: unknown }> {
    let failure: unknown;
    const recordedIds: unknown[] = [];
    const stuck = new Set<string>();
    for (const row of rows) {
      const noted = toNoted(row);
      const key = recordKey(noted);
      if (stuck.has(key)) continue;
      try {
        this.#record(noted, await this.#copyFor(noted));
        recordedIds.push(row.id);
        const { objectName, recordId } = noted;
        if (this.#client.configs.keepsRecordsOf(objectName)) this.#recordedRefs.set(key, { objectName, recordId });
      } catch (error) {
        stuck.add(key);
        if (error instanceof SyncUsageError) this.#client.listeners.report(error);
        else failure = error;
      }
    }
    return { recordedIds, failure };
  }

  /**
   * The engine's record, under an update of one that the client has learnt meanwhile was deleted: the user still saw it,
   * and their change may win over the delete.
   */
  async #copyFor({ objectName, recordId, operation }: NotedBefore): Promise<JsonObject | undefined> {
    if (operation !== 'update' || !this.#client.configs.keepsRecordsOf(objectName)) return undefined;
    const { seen } = await readSeen(this.#client, { objectName, recordId });
    if (seen) return undefined;
    const rows = await readRows(this.#engine, { objectName, ids: [recordId], context: AS_SYSTEM });
    const row = rows.get(recordId);
    return row && frozenCopy(changedIn(ownFields(this.#engine, objectName), {}, row));
  }

  #record(
    { made, user, objectName, recordId, operation, data, base }: NotedBefore,
    copy: JsonObject | undefined,
  ): void {
    const { log, conflicts, deadLetters } = this.#client;
    if (user !== null && log.meta.user !== null && user !== log.meta.user) {
      const waiting = `What another user changed of ${objectName} ${recordId} waits here.`;
      throw new SyncUsageError('WRONG_USER', `${waiting} Open an engine database of its own for each user.`);
    }
    // An earlier try recorded it, but ended before it removed the note.
    if (this.#recorded.has(made.id)) return;
    if (log.pending.get(made.id) || conflicts.find(made.id) || deadLetters.find(made.id)) return;
    const isOfThisFeed = base?.epochs === log.meta.epochs && this.#logIds.has(base.logId);
    const baseVersion = isOfThisFeed ? base.version : null;
    this.#client.record(checkNewMutation({ objectName, recordId, operation, data, baseVersion }), { ...made, copy });
    this.#recorded.add(made.id);
  }
}

/** With the log at that time: another storage counts its epochs anew. */
type NotedBase = Shown & { readonly logId: string };

/** A noted write, with the id of its mutation, the time it was made, and its user if known. */
interface NotedBefore extends Noted {
  readonly made: MadeBefore;
  readonly user: string | null;
  readonly base?: NotedBase;
}

/** Casts: these rows are written above and nowhere else. */
function toNoted(row: EngineRow): NotedBefore {
  return {
    made: { id: row.mutation_id as string, timestamp: row.noted_at as string },
    user: typeof row.noted_for === 'string' ? row.noted_for : null,
    objectName: row.object_name as string,
    recordId: row.record_id as string,
    operation: row.operation as MutationOperation,
    ...(typeof row.data === 'string' ? { data: JSON.parse(row.data) as JsonObject } : {}),
    ...(typeof row.base === 'string' ? { base: JSON.parse(row.base) as NotedBase } : {}),
  };
}
