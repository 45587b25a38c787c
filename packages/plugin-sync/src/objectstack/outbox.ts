/** Turns what the application writes through the local data engine into mutations; what is committed is never forgotten. */
import type { JsonObject, MutationOperation, RecordRef } from '@objectql/sync-types';
import { AS_SYSTEM, type DataEngine, type EngineContext, type EngineRow } from '@objectql/sync-types/kernel';
import type { SyncClient } from '../sync-client.js';
import { TurnQueue } from '../turn-queue.js';
import { KNOWN, OUTBOX } from './local-objects.js';

/** A write as it is noted. */
export interface Noted extends RecordRef {
  readonly recordId: string;
  readonly operation: MutationOperation;
  readonly data?: JsonObject;
}

/** 16 digits hold every integer that JavaScript does, and sort as the numbers do. */
const DIGITS = 16;

export class Outbox {
  readonly #engine: DataEngine;
  readonly #client: SyncClient;
  readonly #turns = new TurnQueue();
  #last = 0;

  constructor(engine: DataEngine, client: SyncClient) {
    this.#engine = engine;
    this.#client = client;
  }

  /** Finds where an earlier process stopped. */
  async open(): Promise<void> {
    const query = { orderBy: [{ field: 'id', order: 'desc' } as const], limit: 1 };
    const [last] = await this.#engine.find(OUTBOX, query, { context: AS_SYSTEM });
    this.#last = Number(last?.id ?? 0);
  }

  /** Notes writes in the transaction in which they are made. */
  async note(writes: readonly Noted[], context: EngineContext): Promise<void> {
    const rows = writes.map(({ objectName, recordId, operation, data }) => {
      this.#last += 1;
      const id = String(this.#last).padStart(DIGITS, '0');
      const text = data ? JSON.stringify(data) : null;
      return { id, object_name: objectName, record_id: recordId, operation, data: text };
    });
    if (rows.length > 0) await this.#engine.insert(OUTBOX, rows, { context });
  }

  /** Whether something of this record waits to be recorded. */
  async has({ objectName, recordId }: RecordRef, context: EngineContext): Promise<boolean> {
    const query = { where: { object_name: objectName, record_id: String(recordId) }, limit: 1 };
    return (await this.#engine.find(OUTBOX, query, { context })).length > 0;
  }

  /** Records what is noted, in its order, and forgets it once the mutations are durable. */
  async drain(): Promise<void> {
    await this.#turns.take(async () => {
      const order = [{ field: 'id', order: 'asc' } as const];
      const rows = await this.#engine.find(OUTBOX, { orderBy: order }, { context: AS_SYSTEM });
      if (rows.length === 0) return;
      for (const row of rows) await this.#record(row);
      await this.#client.log.flush();
      const ids = rows.map(({ id }) => id);
      await this.#engine.delete(OUTBOX, { where: { id: { $in: ids } }, multi: true, context: AS_SYSTEM });
    });
  }

  async #record(row: EngineRow): Promise<void> {
    // Casts: these rows are written above and nowhere else.
    const ref = { objectName: row.object_name as string, recordId: row.record_id as string };
    const operation = row.operation as MutationOperation;
    const data = typeof row.data === 'string' ? { data: JSON.parse(row.data) as JsonObject } : {};
    const baseVersion = operation === 'create' ? null : (await this.#client.records.target(ref)).baseVersion;
    this.#client.record({ ...ref, operation, ...data, baseVersion });
  }
}

/** Remembers that sync knows a record, or knows it no more. */
export async function setKnown(
  engine: DataEngine,
  ref: RecordRef,
  { isKnown, context }: { readonly isKnown: boolean; readonly context: EngineContext },
): Promise<void> {
  const where = { object_name: ref.objectName, record_id: String(ref.recordId) };
  const rows = await engine.find(KNOWN, { where, limit: 1 }, { context });
  if (isKnown && rows.length === 0) await engine.insert(KNOWN, where, { context });
  if (!isKnown && rows.length > 0) await engine.delete(KNOWN, { where, multi: true, context });
}
