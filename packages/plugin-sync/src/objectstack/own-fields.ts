/** Which of a record's fields the application may write, by the object's definition. */
import { type Json, type JsonObject, jsonEquals } from '@objectql/sync-types';
import type { DataEngine, EngineRow } from '@objectql/sync-types/kernel';

interface FieldDefinition {
  readonly type?: unknown;
  readonly system?: unknown;
  readonly readonly?: unknown;
}

/** Computed by the engine on each side, or stored there in a form that no reader is told. */
const EACH_SIDES_OWN = ['formula', 'summary', 'autonumber', 'auto_number', 'secret', 'password'];

/** The fields a user can write: not the id, nor what the platform keeps, nor computed or secret fields. */
export function ownFields({ registry }: DataEngine, objectName: string): readonly string[] {
  return Object.entries(registry.getObject(objectName)?.fields ?? {}).flatMap(([name, definition]) => {
    const { type, system, readonly } = (definition ?? {}) as FieldDefinition;
    const isOurs = name !== 'id' && system !== true && readonly !== true && !EACH_SIDES_OWN.includes(String(type));
    return isOurs ? [name] : [];
  });
}

/** The values of these fields in `row` that differ from `before`; a field that is empty in both does not differ. */
export function changedIn(
  fields: readonly string[],
  before: EngineRow | JsonObject,
  row: EngineRow | JsonObject,
): JsonObject {
  const [old, now] = [plain(before), plain(row)];
  return Object.fromEntries(
    fields.flatMap((field): readonly (readonly [string, Json])[] =>
      jsonEquals(old[field] ?? null, now[field] ?? null) ? [] : [[field, now[field] ?? null]],
    ),
  );
}

/** Goes through JSON, because drivers hand out dates where the wire has texts. */
function plain(row: EngineRow | JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(row)) as JsonObject;
}
