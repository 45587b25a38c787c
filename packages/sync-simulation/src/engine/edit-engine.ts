/**
 * A user's changes through a local data engine: single ones, transactions that commit or not, or many records at once.
 */
import type { Json } from '@objectql/sync-types';
import type { EngineContext } from '@objectql/sync-types/kernel';
import type { Edit } from '../plan.js';
import type { Random } from '../random.js';
import type { LocalApp } from './local-app.js';

export interface EngineEdits {
  readonly app: LocalApp;
  readonly edits: readonly Edit[];
  readonly random: Random;
  readonly dataOf: (edit: Edit) => Readonly<Record<string, Json>>;
  readonly onFailed: (error: unknown) => void;
  /** Waits, as an app may in the middle of a transaction. */
  readonly pause: (ms: number) => Promise<void>;
}

/** 40 s: so long a transaction holds everybody else up. */
const LONG_MS = 40_000;

/** Makes the changes; resolves when the app has finished or failed with them. */
export function editEngine(parts: EngineEdits): Promise<void> {
  const { app, random, pause } = parts;
  const how = random.pick(['alone', 'alone', 'together', 'together', 'rolled back', 'many']);
  return app.engine.asApp(async () => {
    if (how === 'alone') return all(parts, { isSystem: true });
    if (how === 'many') return many(parts);
    await app.engine.transaction(
      async (context) => {
        await all(parts, context);
        if (random.chance(0.3)) await pause(random.between(0, LONG_MS));
        if (how === 'rolled back') throw new Error('The user has changed their mind.');
      },
      { isSystem: true },
    );
  });
}

/** One after another; after a failure the app may go on or stop. */
async function all({ app, edits, random, dataOf, onFailed }: EngineEdits, context: EngineContext): Promise<void> {
  for (const edit of edits) {
    const isCaught = random.chance(0.5);
    app.isHookFailing = random.chance(0.1);
    try {
      await one(app, { edit, data: dataOf(edit), context });
    } catch (error) {
      if (!isCaught) throw error;
      onFailed(error);
    }
  }
}

async function one(
  { engine }: LocalApp,
  { edit, data, context }: { readonly edit: Edit; readonly data: object; readonly context: EngineContext },
): Promise<void> {
  const { objectName, recordId, wish } = edit;
  const id = String(recordId);
  const seen = await engine.findOne(objectName, { where: { id } }, { context });
  if (!seen) await engine.insert(objectName, { id, ...data }, { context });
  else if (wish === 'delete') await engine.delete(objectName, { where: { id }, context });
  else await engine.update(objectName, { id, ...data }, { context });
}

/** Applies the first change to all records that it may be about. */
async function many({ app, edits, random, dataOf }: EngineEdits): Promise<void> {
  const [edit] = edits;
  if (!edit) return;
  const { objectName, wish } = edit;
  const options = { where: { id: { $in: ['a', '1', 'e'] } }, multi: true, context: { isSystem: true } };
  // A unique value tells which record it belongs to.
  const data = dataOf({ ...edit, isCommon: true });
  if (edit.parent !== undefined && random.chance(0.5)) {
    const present = await app.engine.find(objectName, { where: options.where }, options);
    const missing = ['a', '1', 'e'].filter((id) => !present.some((row) => row.id === id));
    const rows = [...missing.map((id) => ({ id, ...data })), ...(random.chance(0.3) ? [data] : [])];
    if (rows.length > 0) await app.engine.insert(objectName, rows, options);
  } else if (wish === 'delete' && random.chance(0.5)) await app.engine.delete(objectName, options);
  else await app.engine.update(objectName, data, options);
}
