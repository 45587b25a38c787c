/** The objects as defined in a local data engine. */
import type { JsonObject } from '@objectql/sync-types';
import type { EngineObject, EngineRow } from '@objectql/sync-types/kernel';
import { OBJECT_NAMES } from '../disk.js';
import type { EnginePlan } from '../plan.js';
import { HOOKED_FIELD } from '../server-truth.js';

const FIELDS = ['title', 'status', 'body', 'due', 'parent', 'private', 'forbidden', 'poison', 'refused', HOOKED_FIELD];
/** 7 characters: fewer than the values of which there are many. */
const MAX_LENGTH = 7;
/** By object, the object of the record that `parent` names. */
export const PARENT_OBJECTS: Readonly<Record<string, string>> = { task: 'project', note: 'task' };

/** The definitions of a schedule's engines. */
export function engineObjects({ refuses, onDelete }: Partial<EnginePlan>): readonly EngineObject[] {
  const due = {
    type: 'text',
    ...(refuses === 'long values' ? { maxLength: MAX_LENGTH } : {}),
    ...(refuses === 'equal values' ? { unique: true } : {}),
  };
  return OBJECT_NAMES.map((name) => {
    const reference = PARENT_OBJECTS[name];
    const parent =
      reference && onDelete ? { type: 'lookup', reference, deleteBehavior: onDelete[name] } : { type: 'text' };
    const fields = FIELDS.map((field): readonly [string, object] => [field, { type: 'text' }]);
    return { name, sync: { enabled: true }, fields: { ...Object.fromEntries(fields), due, parent } };
  });
}

/** The fields of a row that have a value. */
export function fieldsOf(row: EngineRow | undefined): readonly string[] {
  return FIELDS.filter((field) => (row?.[field] ?? null) !== null);
}

/** A row without its id and without empty fields. */
export function valuesOf(row: EngineRow | undefined): JsonObject {
  // A cast: only JSON is written into these fields.
  return Object.fromEntries(fieldsOf(row).map((field) => [field, row?.[field]])) as JsonObject;
}
