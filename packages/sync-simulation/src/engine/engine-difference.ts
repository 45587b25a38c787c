/** I4 for local data engines: at rest they show what the server lets their user read, or say what they refuse of it. */
import type { JsonObject, RecordRef } from '@objectql/sync-types';
import { OBJECT_NAMES } from '../disk.js';
import { isSame, nameOf } from '../record-name.js';
import type { ServerTruth } from '../server-truth.js';
import type { Violation } from '../violation.js';
import { valuesOf } from './engine-objects.js';
import type { EnginePlace } from './engine-place.js';
import type { Difference } from './engine-refusals.js';

/** What a device's engine has been compared with, and what may excuse a difference. */
export interface Compared {
  /** False for an object that is only pushed: its rows stay as the app wrote them. */
  readonly keeps: (objectName: string) => boolean;
  readonly viewOf: (ref: RecordRef, data: JsonObject) => JsonObject | undefined;
  /** False for an object of which nothing is recorded. */
  readonly isRecorded: (objectName: string) => boolean;
  /** The record because of which the engine refuses to make a row what it should be. */
  readonly refusedFor: (difference: Difference) => string | undefined;
  /** Whether sync has told that this record is refused. */
  readonly isTold: (name: string) => boolean;
}

/** The first record that differs between the engine and what its user may see; and those that the engine refuses. */
export function compareEngine(
  place: EnginePlace,
  { records }: Pick<ServerTruth, 'records'>,
  { keeps, viewOf, isRecorded, refusedFor, isTold }: Compared,
): { readonly violation?: Violation; readonly refused: ReadonlySet<string> } {
  const refused = new Set<string>();
  const views = new Map(
    [...records].flatMap(([name, record]) => {
      const view = record.data ? viewOf(record, record.data) : undefined;
      return view ? [[name, view] as const] : [];
    }),
  );
  for (const objectName of OBJECT_NAMES) {
    if (!keeps(objectName)) continue;
    const rows = place.database.table(objectName);
    const names = [...rows.keys()].map((recordId) => nameOf({ objectName, recordId }));
    for (const name of new Set([...names, ...[...views.keys()].filter((one) => one.startsWith(`${objectName}/`))])) {
      if (place.hasWaiting(name)) continue;
      const recordId = name.slice(objectName.length + 1);
      const [row, view] = [rows.get(recordId), views.get(name)];
      // What may not be written there stays on the device.
      if (row && !view && !place.isKnown(name) && !isRecorded(objectName)) continue;
      if (isSame(row && valuesOf(row), view && valuesOf(view))) continue;
      const reason = refusedFor({ objectName, recordId, row, view });
      const message = `${name} is ${JSON.stringify(row)} in the engine, and should be ${JSON.stringify(view)}.`;
      if (!reason) return { violation: { invariant: 'I4', message }, refused };
      if (!isTold(reason))
        return { violation: { invariant: 'I8', message: `${message} Nobody was told why.` }, refused };
      refused.add(name);
    }
  }
  return { refused };
}
