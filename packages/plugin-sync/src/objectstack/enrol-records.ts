/** Takes in what was in a local data engine before sync. */
import {
  AS_SYSTEM,
  type EngineContext,
  type EngineRow,
  isPlaceholderId,
  STORED_FILES,
} from '@objectql/sync-types/kernel';
import { SyncUsageError } from '../sync-usage-error.js';
import type { EngineParts } from './engine-parts.js';
import { placeholderError } from './engine-ref.js';
import { knownIds, setKnown } from './known-records.js';
import { changedIn, ownFields } from './own-fields.js';

/** Notes the records of an object that sync does not know as created here. */
export async function enrolRecords(objectName: string, parts: EngineParts): Promise<void> {
  const { engine, turns } = parts;
  await turns.transaction(async ({ transaction }) => {
    const context = { ...AS_SYSTEM, transaction };
    // Read inside the transaction: a write made meanwhile is noted by itself, and newer.
    const known = new Set<unknown>(await knownIds(engine, objectName, context));
    const rows = await engine.find(objectName, {}, { context: { ...context, ...STORED_FILES } });
    const enrolment = { ...parts, context, fields: ownFields(engine, objectName) };
    for (const row of rows) if (!known.has(row.id)) await enrol(objectName, row, enrolment);
  });
}

interface Enrolment extends EngineParts {
  readonly context: EngineContext;
  /** Those that a user can write. */
  readonly fields: readonly string[];
}

async function enrol(
  objectName: string,
  row: EngineRow,
  { engine, outbox, onFailed, context, fields }: Enrolment,
): Promise<void> {
  const ref = { objectName, recordId: String(row.id) };
  if (isPlaceholderId(row.id)) return onFailed(placeholderError(ref));
  try {
    await outbox.note({ ...ref, operation: 'create', data: changedIn(fields, {}, row) }, context);
  } catch (error) {
    if (!(error instanceof SyncUsageError)) throw error;
    // It stays as it is, on this device alone.
    return onFailed(error);
  }
  await setKnown(engine, ref, { isKnown: true, context });
}
