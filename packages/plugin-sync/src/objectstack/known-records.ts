/** The records of the local data engine that sync knows: they came from the server, or were recorded. */
import type { RecordRef } from '@objectql/sync-types';
import type { DataEngine, EngineContext } from '@objectql/sync-types/kernel';
import { KNOWN } from './local-objects.js';

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
