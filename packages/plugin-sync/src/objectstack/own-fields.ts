/** Which of a record's fields are the application's to write, by the object's definition. */
import { type Json, type JsonObject, jsonEquals } from '@objectql/sync-types';
import type { EngineObject, EngineRow } from '@objectql/sync-types/kernel';

interface FieldDefinition {
  readonly type?: unknown;
  readonly system?: unknown;
  readonly readonly?: unknown;
}

/** Computed by the engine on each side, or stored there as what no reader is told. */
const EACH_SIDES_OWN = ['formula', 'summary', 'autonumber', 'auto_number', 'secret', 'password'];

/** The fields a user's write consists of: not the id, what the platform keeps, what is computed, or what is kept secret. */
export function ownFields(object: EngineObject | undefined): readonly string[] {
  return Object.entries(object?.fields ?? {}).flatMap(([name, definition]) => {
    const { type, system, readonly } = (definition ?? {}) as FieldDefinition;
    const isOurs = name !== 'id' && system !== true && readonly !== true && !EACH_SIDES_OWN.includes(String(type));
    return isOurs ? [name] : [];
  });
}

/** Of these fields what `row` has otherwise than `before`; a field that is empty in both is not in it. */
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

/** Through JSON, because drivers hand out dates where the wire has texts. */
function plain(row: EngineRow | JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(row)) as JsonObject;
}
