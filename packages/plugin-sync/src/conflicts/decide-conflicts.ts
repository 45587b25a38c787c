/** Has every conflict of an answer decided, before anything is stored. */
import type { RecordMap, RecordRef, SyncConflict } from '@objectql/sync-types';
import type { DecidedEntry } from '../answer/outcome-plan.js';
import type { Answered } from '../cycle/exchange.js';
import type { Listeners } from '../listeners/listeners.js';
import type { ObjectConfigs } from '../object-configs.js';
import { rebase } from '../records/rebase.js';
import type { BaseRecord, StoredEntry } from '../storage/client-storage.js';
import type { ConflictList } from '../waiting/conflict-list.js';
import { completeConflict } from './conflict-contest.js';
import { ConflictResolver, type OnConflict, type Resolution } from './conflict-resolver.js';
import { followUpOf } from './follow-up.js';

export interface DecisionParts {
  readonly configs: ObjectConfigs;
  readonly onConflict: OnConflict | undefined;
  /** Hears of a callback that fails; the conflict is parked. */
  readonly listeners: Listeners;
  /** Takes a callback's answer that comes after its conflict was parked. */
  readonly conflicts: ConflictList;
  /** Collects work for after the decisions are stored. */
  readonly afterwards: (() => void)[];
  readonly pendingOf: (ref: RecordRef) => readonly StoredEntry[];
  readonly storedByRecord: RecordMap<BaseRecord>;
}

/**
 * 10 s: an application's rule answers at once, a person in a dialog does not. The conflict is then parked, sync goes
 * on, and a late answer is still taken. Only one callback of an answer is waited for so long.
 */
export const CALLBACK_WAIT_MS = 10_000;

/**
 * The sent entries with their results, each conflict with its decision; decisions are made in the order of the
 * conflicts.
 */
export async function decideConflicts(
  { sent, answer: { results, serverChanges } }: Answered,
  parts: DecisionParts,
): Promise<readonly DecidedEntry[]> {
  const decided: DecidedEntry[] = [];
  for (const [index, entry] of sent.entries()) {
    const result = results[index];
    if (result?.status === 'conflict') {
      const { mutation } = entry;
      const base = parts.storedByRecord.get(mutation);
      const conflict = completeConflict(result.conflict, { serverChanges, base });
      const localCopy = copyWithout(entry, base, parts);
      const resolution = await decide(conflict, { entry, localCopy, parts });
      const isDeletedThere = conflict.serverRecord === null && localCopy !== undefined;
      const copy = isDeletedThere ? { ...localCopy, ...mutation.data } : undefined;
      decided.push({ entry, result: { status: 'conflict', conflict, resolution, copy } });
    } else if (result) decided.push({ entry, result });
  }
  return decided;
}

interface DecideInput {
  readonly entry: StoredEntry;
  readonly localCopy: BaseRecord['data'] | undefined;
  readonly parts: DecisionParts;
}

async function decide(conflict: SyncConflict, { entry, localCopy, parts }: DecideInput): Promise<Resolution> {
  const { objectName, id } = entry.mutation;
  const { configs, onConflict, listeners, conflicts, afterwards } = parts;
  try {
    const { strategy, conflictFields } = configs.of(objectName);
    const resolver = new ConflictResolver({ strategy, conflictFields, onConflict });
    const work = resolver.resolve(conflict, { localCopy, round: entry.round });
    const resolution = await listeners.waitFor(work, {
      // A callback that has taken so long asks a person: the next ones are not waited for.
      timeoutMs: afterwards.length > 0 ? 0 : CALLBACK_WAIT_MS,
      onLate(): Resolution {
        afterwards.push(() => work.then((late) => conflicts.resolveLate(id, late)).catch(listeners.report));
        return { do: 'park' };
      },
    });
    // Throws now if the record cannot be stored: the conflict can still be parked.
    if (resolution.do === 'write') followUpOf(conflict, resolution, { round: 0, later: [] });
    return resolution;
  } catch (error) {
    // The answer is not stored, so the next process meets the conflict again.
    if (listeners.isClosed) throw error;
    listeners.report(error);
    return { do: 'park' };
  }
}

/** The record as this client has it, with all pending changes but this one. */
function copyWithout(entry: StoredEntry, base: BaseRecord | undefined, { pendingOf }: DecisionParts) {
  const others = pendingOf(entry.mutation).filter(
    ({ mutation }) => mutation.id !== entry.mutation.id && mutation.operation !== 'delete',
  );
  const underneath = base ?? (entry.copy ? { ...entry.mutation, data: entry.copy, version: 0, walk: null } : undefined);
  return rebase(entry.mutation, underneath, others)?.data;
}
