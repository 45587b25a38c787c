/** Finds what need not be written into a local engine: it shows most records that its own application has changed. */
import { AS_SYSTEM, type EngineTransactionInfo, isPlaceholderId } from '@objectql/sync-types/kernel';
import type { LocalRecord } from '../records/rebase.js';
import type { EngineParts } from './engine-parts.js';
import { type EngineRef, type ObjectShare, sharesByObject } from './engine-ref.js';
import { knownAmong } from './known-records.js';
import { changedIn, ownFields } from './own-fields.js';
import { readRows } from './read-rows.js';
import { readSeen } from './seen-record.js';
import { NAMED_AT_ONCE } from './statement-share.js';

/** A record that the engine shows as the user sees it; `seen` is `undefined` where neither has one. */
export interface ShownRecord {
  readonly ref: EngineRef;
  readonly seen: LocalRecord | undefined;
}

/**
 * Those of these records that the engine shows as the user sees them, and that nothing waits for, a share at a time;
 * their versions are noted as shown. A share takes one transaction; one that fails has none.
 */
export async function* findShown(
  refs: readonly EngineRef[],
  parts: EngineParts,
): AsyncGenerator<readonly ShownRecord[]> {
  const named = refs.filter(({ recordId }) => !isPlaceholderId(recordId));
  for (const share of sharesByObject(named, NAMED_AT_ONCE)) yield findAmong(share, parts).catch(() => []);
}

async function findAmong({ objectName, refs }: ObjectShare, parts: EngineParts): Promise<readonly ShownRecord[]> {
  const { engine, client, turns, outbox, shown, outside } = parts;
  const work = async ({ transaction }: EngineTransactionInfo) => {
    const reading = { objectName, ids: refs.map(({ recordId }) => recordId), context: { ...AS_SYSTEM, transaction } };
    const waiting = await outbox.waitingAmong(reading);
    const rows = await readRows(engine, reading);
    const known = await knownAmong(engine, reading);
    const fields = ownFields(engine, objectName);
    const found: ShownRecord[] = [];
    for (const ref of refs) {
      const { recordId } = ref;
      const row = rows.get(recordId);
      if (waiting.has(recordId) || known.has(recordId) !== (row !== undefined)) continue;
      const { seen, baseVersion } = await readSeen(client, ref);
      const isShown = seen && row ? Object.keys(changedIn(fields, row, seen.data)).length === 0 : !seen && !row;
      if (!isShown) continue;
      // Set before the commit: right after it, the application may write on top of this version.
      shown.set(ref, seen && baseVersion());
      found.push({ ref, seen });
    }
    return found;
  };
  return outside(() => turns.transaction(work));
}
