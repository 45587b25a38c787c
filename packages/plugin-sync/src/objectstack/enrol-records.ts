/** Takes in what was in a local data engine before sync. */
import { AS_SYSTEM, isPlaceholderId, shares } from '@objectql/sync-types/kernel';
import { checkNewMutation } from '../log/new-mutation.js';
import { SyncUsageError } from '../sync-usage-error.js';
import type { EngineParts } from './engine-parts.js';
import { placeholderError } from './engine-ref.js';
import { addKnown, knownAmong, knownIds } from './known-records.js';
import type { Noted } from './outbox.js';
import { changedIn, ownFields } from './own-fields.js';
import { type Reading, readRows } from './read-rows.js';
import { INSERTED_AT_ONCE } from './statement-share.js';

/**
 * Notes the records of an object that sync does not know as created here. A part at a time: a kernel does not wait for
 * long, and the next start goes on where this one was ended.
 */
export async function enrolRecords(objectName: string, parts: EngineParts): Promise<void> {
  const { engine, turns, onFailed } = parts;
  const unknown = await turns.transaction(async ({ transaction }) => {
    const context = { ...AS_SYSTEM, transaction };
    const known = new Set(await knownIds(engine, objectName, context));
    const rows = await engine.find(objectName, { fields: ['id'] }, { context });
    return rows.map(({ id }) => String(id)).filter((id) => !known.has(id));
  });
  for (const recordId of unknown.filter(isPlaceholderId)) onFailed(placeholderError({ objectName, recordId }));
  const named = unknown.filter((id) => !isPlaceholderId(id));
  for (const ids of shares(named, INSERTED_AT_ONCE)) {
    await turns.transaction(({ transaction }) =>
      enrol({ objectName, ids, context: { ...AS_SYSTEM, transaction } }, parts),
    );
  }
}

async function enrol(reading: Reading, { engine, outbox, onFailed }: EngineParts): Promise<void> {
  const { objectName, context } = reading;
  // Read inside the transaction: a write made meanwhile is noted by itself, and newer.
  const known = await knownAmong(engine, reading);
  const fields = ownFields(engine, objectName);
  const noted: Noted[] = [];
  for (const [recordId, row] of await readRows(engine, reading)) {
    if (known.has(recordId)) continue;
    const one = { objectName, recordId, operation: 'create', data: changedIn(fields, {}, row) } as const;
    try {
      checkNewMutation({ ...one, baseVersion: null });
      noted.push(one);
    } catch (error) {
      if (!(error instanceof SyncUsageError)) throw error;
      // It stays as it is, on this device alone.
      onFailed(error);
    }
  }
  await outbox.note(noted, context);
  await addKnown(engine, { objectName, ids: noted.map(({ recordId }) => recordId), context });
}
