/** Has every conflict of an answer decided, before anything is stored. */
import type { RecordRef, SyncConflict } from '@objectql/sync-types';
import type { DecidedEntry } from '../answer/outcome-plan.js';
import type { Answered } from '../cycle/exchange.js';
import type { Listeners } from '../listeners/listeners.js';
import type { ObjectConfigs } from '../object-configs.js';
import { rebase } from '../records/rebase.js';
import type { RecordMap } from '../records/record-map.js';
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
  /** Takes the answer of a callback that comes after its conflict has been parked. */
  readonly conflicts: ConflictList;
  /** Gets what is to be done once the decisions are stored. */
  readonly afterwards: (() => void)[];
  readonly pendingOf: (ref: RecordRef) => readonly StoredEntry[];
  readonly storedByRecord: RecordMap<BaseRecord>;
}

/**
 * 10 s: a rule of the application answers at once, a person in a dialog does not. The conflict is then parked, sync goes
 * on, and the answer is taken when it comes. Waited for so long is one callback of an answer.
 */
export const CALLBACK_WAIT_MS = 10_000;

/** What was sent with the answer's results, each conflict with its decision; these are made in the order the conflicts were met. */
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
      // Who has taken so long once is a person: the others are not waited for.
      timeoutMs: afterwards.length > 0 ? 0 : CALLBACK_WAIT_MS,
      onLate(): Resolution {
        afterwards.push(() => work.then((late) => conflicts.resolveLate(id, late)).catch(listeners.report));
        return { do: 'park' };
      },
    });
    // Throws for a record that cannot be stored, while it can still be parked instead.
    if (resolution.do === 'write') followUpOf(conflict, resolution, { round: 0, later: [] });
    return resolution;
  } catch (error) {
    // The answer is not stored, and the conflict met again by the next process.
    if (listeners.isClosed) throw error;
    listeners.report(error);
    return { do: 'park' };
  }
}

/** The record as this client has it, all pending changes included but this one. */
function copyWithout(entry: StoredEntry, base: BaseRecord | undefined, { pendingOf }: DecisionParts) {
  const others = pendingOf(entry.mutation).filter(
    ({ mutation }) => mutation.id !== entry.mutation.id && mutation.operation !== 'delete',
  );
  const underneath = base ?? (entry.copy ? { ...entry.mutation, data: entry.copy, version: 0, walk: null } : undefined);
  return rebase(entry.mutation, underneath, others)?.data;
}
