/** Rows of a local data engine, as plain JSON. */
import type { JsonObject } from '@objectql/sync-types';
import {
  type DataEngine,
  type EngineContext,
  isPlaceholderId,
  STORED_FILES,
  shares,
} from '@objectql/sync-types/kernel';
import { NAMED_AT_ONCE } from './statement-share.js';

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
  const asStored = { context: { ...context, ...STORED_FILES } };
  const found = new Map<string, JsonObject>();
  const named = asked.filter((id) => !isPlaceholderId(id));
  for (const ids of shares(named, NAMED_AT_ONCE)) {
    const rows = await engine.find(objectName, { where: { id: { $in: ids } } }, asStored);
    for (const row of rows) found.set(String(row.id), JSON.parse(JSON.stringify(row)) as JsonObject);
  }
  return found;
}
