/** The records of the local data engine that sync knows: they came from the server, or were recorded. */
import type { RecordRef } from '@objectql/sync-types';
import type { DataEngine, EngineContext } from '@objectql/sync-types/kernel';
import { KNOWN } from './local-objects.js';
import type { Reading } from './read-rows.js';

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
  const where = { object_name: objectName, record_id: { $in: ids } };
  const rows = await engine.find(KNOWN, { where }, { context });
  return new Set(rows.map((row) => String(row.record_id)));
}

/** Remembers that sync knows these records, which it did not know. */
export async function addKnown(engine: DataEngine, refs: readonly RecordRef[], context: EngineContext): Promise<void> {
  if (refs.length > 0) await engine.insert(KNOWN, refs.map(knownAs), { context });
}

/** Remembers whether sync knows a record. */
export async function setKnown(
  engine: DataEngine,
  ref: RecordRef,
  { isKnown: isNow, context }: { readonly isKnown: boolean; readonly context: EngineContext },
): Promise<void> {
  const where = knownAs(ref);
  if (!isNow) await engine.delete(KNOWN, { where, multi: true, context });
  else if (!(await isKnown(engine, ref, context))) await engine.insert(KNOWN, where, { context });
}

function knownAs({ objectName, recordId }: RecordRef) {
  return { object_name: objectName, record_id: String(recordId) };
}
