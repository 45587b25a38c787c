/** At rest an app can write to each record, and what it writes is based on what its engine shows. */
import type { SyncClient } from '@objectql/plugin-sync';
import { OBJECT_NAMES } from '../disk.js';
import { endOfTurn } from '../platform/turn.js';
import { nameOf } from '../record-name.js';
import type { ServerTruth } from '../server-truth.js';
import type { Violation } from '../violation.js';
import type { EnginePlace } from './engine-place.js';
import type { LocalApp } from './local-app.js';

export interface RestingEngine {
  readonly app: LocalApp;
  readonly place: EnginePlace;
  readonly client: SyncClient;
  /** Whether it receives other devices' changes of an object. */
  readonly keeps: (objectName: string) => boolean;
  /** The records of which the engine shows an earlier state. */
  readonly refused: ReadonlySet<string>;
}

/** Changes each record that sync knows and nothing waits of; the first one of which that goes wrong. */
export async function editAtRest(
  { app, place, client, keeps, refused }: RestingEngine,
  { records }: Pick<ServerTruth, 'records'>,
): Promise<Violation | undefined> {
  for (const objectName of OBJECT_NAMES) {
    if (!keeps(objectName) || client.configs.refusalOf(objectName)) continue;
    for (const recordId of place.database.table(objectName).keys()) {
      const name = nameOf({ objectName, recordId });
      if (!place.isKnown(name) || place.hasWaiting(name) || refused.has(name)) continue;
      const written = await change(app, objectName, recordId);
      if (written !== 'done') return { invariant: 'I13', message: `At rest ${name} could not be changed: ${written}` };
      const [mutation] = [...client.log.pending].map((entry) => entry.mutation).filter((one) => nameOf(one) === name);
      const { version } = records.get(name) ?? { version: null };
      if (mutation?.baseVersion === version) continue;
      const message = `At rest v${version} of ${name} was changed, and recorded was ${JSON.stringify(mutation)}.`;
      return { invariant: 'I7', message };
    }
  }
  return undefined;
}

/** Says what has become of it within the turn: nothing is slow at rest. */
async function change(app: LocalApp, objectName: string, recordId: string): Promise<string> {
  const { engine } = app;
  app.isHookFailing = false;
  let state = 'it has not ended';
  const data = { id: recordId, title: `at rest, ${recordId}` };
  engine
    .asApp(() => engine.update(objectName, data, { context: { isSystem: true } }))
    .then(
      () => {
        state = 'done';
      },
      (error: unknown) => {
        state = String(error);
      },
    );
  await endOfTurn();
  return state;
}
