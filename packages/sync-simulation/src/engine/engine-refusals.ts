/** What a local data engine refuses of what the server has: then it may differ at rest, and must have said so. */
import type { JsonObject } from '@objectql/sync-types';
import type { EngineRow } from '@objectql/sync-types/kernel';
import type { EnginePlan } from '../plan.js';
import { nameOf } from '../record-name.js';
import type { EngineDatabase } from './engine-database.js';
import { engineObjects } from './engine-objects.js';
import { dependencesOn, findTaken } from './engine-rules.js';

/** The app's hook refuses what ends so: a tenth of all. */
const REFUSED = /3$/;

/** The app's hook: refuses what is written of a row, or its delete. */
export async function refusingHook(objectName: string, { id, status }: EngineRow): Promise<void> {
  if (REFUSED.test(String(status))) throw new Error(`The hook refuses ${objectName}/${id}.`);
}

/** A row, and what it should be. */
export interface Difference {
  readonly objectName: string;
  readonly recordId: string;
  readonly row: EngineRow | undefined;
  readonly view: JsonObject | undefined;
}

/** The record because of which an engine refuses to make a row what it should be. */
export function refusedRecord(
  { objectName, recordId, row, view }: Difference,
  { plan, database }: { readonly plan: EnginePlan; readonly database: EngineDatabase },
): string | undefined {
  const name = nameOf({ objectName, recordId });
  const objects = engineObjects(plan);
  if (plan.refuses === 'by hook') {
    if (view) return view.status !== row?.status && REFUSED.test(String(view.status)) ? name : undefined;
    return undeletable(
      name,
      (parent) => {
        const [parentObject = '', id] = parent.split('/');
        return dependencesOn(objects, parentObject).flatMap(({ objectName: child, field, behavior }) =>
          [...database.table(child)].flatMap(([childId, one]) =>
            behavior === 'cascade' && one[field] === id ? [nameOf({ objectName: child, recordId: childId })] : [],
          ),
        );
      },
      database,
    );
  }
  const object = objects.find((one) => one.name === objectName);
  const isTaken = view && findTaken(object, database.table(objectName), [{ ...view, id: recordId }]);
  return isTaken ? name : undefined;
}

/** The first of a record and those that go with it which the app's hook does not let go. */
function undeletable(
  name: string,
  childrenOf: (name: string) => readonly string[],
  database: EngineDatabase,
): string | undefined {
  const [objectName = '', recordId = ''] = name.split('/');
  if (REFUSED.test(String(database.table(objectName).get(recordId)?.status))) return name;
  return childrenOf(name)
    .map((child) => undeletable(child, childrenOf, database))
    .find((found) => found !== undefined);
}
