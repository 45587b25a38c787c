/** The objects as defined in a local data engine. */
import type { JsonObject } from '@objectql/sync-types';
import type { EngineObject, EngineRow } from '@objectql/sync-types/kernel';
import { OBJECT_NAMES } from '../disk.js';
import { HOOKED_FIELD } from '../server-truth.js';

const FIELDS = ['title', 'status', 'body', 'due', 'private', 'forbidden', 'poison', 'refused', HOOKED_FIELD];

export const ENGINE_OBJECTS: readonly EngineObject[] = OBJECT_NAMES.map((name) => ({
  name,
  sync: { enabled: true },
  fields: Object.fromEntries(FIELDS.map((field) => [field, { type: 'text' }])),
}));

/** The fields of a row that have a value. */
export function fieldsOf(row: EngineRow | undefined): readonly string[] {
  return FIELDS.filter((field) => (row?.[field] ?? null) !== null);
}

/** A row without its id and without empty fields. */
export function valuesOf(row: EngineRow | undefined): JsonObject {
  // A cast: only JSON is written into these fields.
  return Object.fromEntries(fieldsOf(row).map((field) => [field, row?.[field]])) as JsonObject;
}
