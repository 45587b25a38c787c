/** Rows of a local data engine, as plain JSON. */
import type { JsonObject } from '@objectql/sync-types';
import { type DataEngine, type EngineContext, isPlaceholderId, STORED_FILES } from '@objectql/sync-types/kernel';

export interface Reading {
  readonly objectName: string;
  readonly ids: readonly string[];
  readonly context: EngineContext;
}

/** Existing rows that the engine finds by id, by their ids. */
export async function readRows(
  engine: DataEngine,
  { objectName, ids: asked, context }: Reading,
): Promise<Map<string, JsonObject>> {
  const ids = asked.filter((id) => !isPlaceholderId(id));
  if (ids.length === 0) return new Map();
  const asStored = { context: { ...context, ...STORED_FILES } };
  const rows = await engine.find(objectName, { where: { id: { $in: ids } } }, asStored);
  return new Map(rows.map((row) => [String(row.id), JSON.parse(JSON.stringify(row)) as JsonObject]));
}
