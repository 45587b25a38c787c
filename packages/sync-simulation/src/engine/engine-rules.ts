/** What the definitions of a local data engine's objects refuse, and what happens to the records of a deleted one. */
import type { EngineObject, EngineOperation, EngineRow } from '@objectql/sync-types/kernel';
import type { DeleteBehavior } from '../plan.js';

/** What the rules read of a field's definition, by ObjectStack's names. */
interface FieldDefinition {
  readonly maxLength?: number;
  readonly unique?: boolean;
  readonly reference?: string;
  readonly deleteBehavior?: DeleteBehavior;
}

/** A field by which an object's records belong to others. */
export interface Dependence {
  readonly objectName: string;
  readonly field: string;
  readonly behavior: DeleteBehavior;
}

/** Throws for values that the definitions refuse, before anything is written. */
export function refuseValues(object: EngineObject | undefined, written: EngineRow): void {
  for (const [field, { maxLength = Number.POSITIVE_INFINITY }] of fieldsIn(object)) {
    if (String(written[field] ?? '').length > maxLength)
      throw refusal('VALIDATION_FAILED', `${field} of ${object?.name} is longer than ${maxLength}.`);
  }
}

/** Rows that are written into a table. */
export interface Written {
  readonly table: ReadonlyMap<string, EngineRow>;
  readonly written: readonly EngineRow[];
  readonly isInsert: boolean;
}

/** Throws if rows of a table would share an id, or a value that they may not: the table itself sees to that. */
export function refuseEqualValues(object: EngineObject | undefined, { table, written, isInsert }: Written): void {
  const ids = written.map(({ id }) => String(id));
  if (isInsert && (new Set(ids).size < ids.length || ids.some((id) => table.has(id))))
    throw refusal('DUPLICATE_RECORD', `${object?.name} has one of ${ids} already.`);
  const taken = findTaken(object, table, written);
  if (taken) throw refusal('DUPLICATE_RECORD', `${object?.name}/${taken.id} may not have what another record has.`);
}

/** The first of these rows with a value that another one has, too, and that no other may have. */
export function findTaken(
  object: EngineObject | undefined,
  table: Written['table'],
  written: readonly EngineRow[],
): EngineRow | undefined {
  const uniques = fieldsIn(object).filter(([, { unique }]) => unique === true);
  if (uniques.length === 0) return undefined;
  const after = [...new Map([...table, ...written.map((row) => [String(row.id), row] as const)]).values()];
  const isTaken = (row: EngineRow, field: string) =>
    (row[field] ?? null) !== null && after.some((other) => other.id !== row.id && other[field] === row[field]);
  return written.find((row) => uniques.some(([field]) => isTaken(row, field)));
}

/** The fields by which records belong to those of an object. */
export function dependencesOn(objects: readonly EngineObject[], name: string): readonly Dependence[] {
  return objects.flatMap((object) =>
    fieldsIn(object).flatMap(([field, { reference, deleteBehavior = 'set_null' }]) =>
      reference === name ? [{ objectName: object.name, field, behavior: deleteBehavior }] : [],
    ),
  );
}

/** Refuses to delete a record to which others belong. */
export function restricted(name: string): Error {
  return refusal('DELETE_RESTRICTED', `${name} has records that belong to it.`);
}

/** Refuses to write a record that is not there. */
export function notFound({ object, data, options }: EngineOperation): Error {
  return refusal('RECORD_NOT_FOUND', `There is no ${object}/${Object(data).id ?? options?.where?.id}.`);
}

function refusal(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

/** A cast: the definitions are those of the simulation and of its tests. */
function fieldsIn(object: EngineObject | undefined): readonly (readonly [string, FieldDefinition])[] {
  return Object.entries((object?.fields ?? {}) as Readonly<Record<string, FieldDefinition>>);
}
