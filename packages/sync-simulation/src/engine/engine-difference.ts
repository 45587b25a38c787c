/** I4 for local data engines: at rest they show what the server lets their user read. */
import type { JsonObject, RecordRef } from '@objectql/sync-types';
import { isSame, nameOf } from '../record-name.js';
import type { ServerTruth } from '../server-truth.js';
import { ENGINE_OBJECTS, valuesOf } from './engine-objects.js';
import type { EnginePlace } from './engine-place.js';

/** The first record that differs between the engine and what its user may see. */
export function findEngineDifference(
  place: EnginePlace,
  { records }: Pick<ServerTruth, 'records'>,
  {
    viewOf,
    isRecorded,
  }: {
    readonly viewOf: (ref: RecordRef, data: JsonObject) => JsonObject | undefined;
    /** False for an object of which nothing is recorded. */
    readonly isRecorded: (objectName: string) => boolean;
  },
): string | undefined {
  const views = new Map(
    [...records].flatMap(([name, record]) => {
      const view = record.data ? viewOf(record, record.data) : undefined;
      return view ? [[name, view] as const] : [];
    }),
  );
  for (const { name: objectName } of ENGINE_OBJECTS) {
    // Objects that are only pushed stay as the app wrote them.
    if (!viewOf({ objectName, recordId: '' }, {})) continue;
    const rows = place.database.table(objectName);
    const names = [...rows.keys()].map((recordId) => nameOf({ objectName, recordId }));
    for (const name of new Set([...names, ...[...views.keys()].filter((one) => one.startsWith(`${objectName}/`))])) {
      if (place.hasWaiting(name)) continue;
      const row = rows.get(name.slice(objectName.length + 1));
      const view = views.get(name);
      // What may not be written there stays on the device.
      if (row && !view && !place.isKnown(name) && !isRecorded(objectName)) continue;
      if (isSame(row && valuesOf(row), view && valuesOf(view))) continue;
      return `${name} is ${JSON.stringify(row)} in the engine, and should be ${JSON.stringify(view)}.`;
    }
  }
  return undefined;
}
