/** The records of the local data engine that sync knows: they came from the server, or were recorded. */
import type { RecordRef } from '@objectql/sync-types';
import { type DataEngine, type EngineContext, shares } from '@objectql/sync-types/kernel';
import { KNOWN } from './local-objects.js';
import type { Reading } from './read-rows.js';
import { INSERTED_AT_ONCE, NAMED_AT_ONCE } from './statement-share.js';

/** Whether sync knows a record. */
export async function isKnown(engine: DataEngine, ref: RecordRef, context: EngineContext): Promise<boolean> {
  return (await engine.find(KNOWN, { where: knownAs(ref), limit: 1 }, { context })).length > 0;
}

/** The ids of all records of an object that sync knows. */
export async function knownIds(
  engine: DataEngine,
  objectName: string,
  context: EngineContext,
): Promise<readonly string[]> {
  const rows = await engine.find(KNOWN, { where: { object_name: objectName } }, { context });
  return rows.map((row) => String(row.record_id));
}

/** Which of these records of an object sync knows, by their ids. */
export async function knownAmong(
  engine: DataEngine,
  { objectName, ids, context }: Reading,
): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  for (const share of shares(ids, NAMED_AT_ONCE)) {
    const rows = await engine.find(KNOWN, { where: knownAsAny(objectName, share) }, { context });
    for (const row of rows) known.add(String(row.record_id));
  }
  return known;
}

/** Remembers that sync knows these records of an object, which it did not know. */
export async function addKnown(engine: DataEngine, { objectName, ids, context }: Reading): Promise<void> {
  for (const share of shares(ids, INSERTED_AT_ONCE)) {
    const rows = share.map((recordId) => knownAs({ objectName, recordId }));
    await engine.insert(KNOWN, rows, { context });
  }
}

/** Remembers that sync does not know these records of an object any more. */
export async function forgetKnown(engine: DataEngine, { objectName, ids, context }: Reading): Promise<void> {
  for (const share of shares(ids, NAMED_AT_ONCE))
    await engine.delete(KNOWN, { where: knownAsAny(objectName, share), multi: true, context });
}

function knownAs({ objectName, recordId }: RecordRef) {
  return { object_name: objectName, record_id: String(recordId) };
}

function knownAsAny(objectName: string, ids: readonly string[]) {
  return { object_name: objectName, record_id: { $in: ids } };
}
