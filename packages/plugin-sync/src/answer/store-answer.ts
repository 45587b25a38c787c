/** From an answer to a durable state: conflicts are decided, listeners hear the changes, and one transaction stores it all. */
import { RecordMap, type RecordRef, refOf } from '@objectql/sync-types';
import type { OnConflict } from '../conflicts/conflict-resolver.js';
import { decideConflicts } from '../conflicts/decide-conflicts.js';
import type { Answered } from '../cycle/exchange.js';
import type { Listeners } from '../listeners/listeners.js';
import type { ClientLog } from '../log/client-log.js';
import type { ObjectConfigs } from '../object-configs.js';
import type { Platform } from '../platform/platform.js';
import {
  type BaseRecord,
  CheckpointMovedError,
  type ClientStorage,
  type StoredEntry,
} from '../storage/client-storage.js';
import type { ConflictList } from '../waiting/conflict-list.js';
import { type AnswerPlan, planAnswer } from './plan-answer.js';
import { beginWalk } from './walk.js';

export interface StoreParts {
  readonly log: ClientLog;
  readonly storage: ClientStorage;
  readonly platform: Platform;
  readonly listeners: Listeners;
  readonly configs: ObjectConfigs;
  readonly conflicts: ConflictList;
  readonly onConflict: OnConflict | undefined;
  readonly othersPassed: (mutationId: string) => boolean;
}

/**
 * Stores an answer and returns the plan. Rejects, with nothing stored, when the storage or a listener for server
 * changes fails.
 */
export async function storeAnswer(answered: Answered, parts: StoreParts): Promise<AnswerPlan> {
  const { sent, answer, checkpoint } = answered;
  const { log, platform, listeners, configs } = parts;
  const { walk: current } = log.meta;
  const walk = answer.reset ? beginWalk(answer.reset, current, platform.newId()) : current;
  const pendingOf = (ref: RecordRef) => log.pending.ofRecord(ref);
  const storedByRecord = await readStored(refsOf(answered, walk !== null && !answer.hasMore ? log : undefined), parts);
  const afterwards: (() => void)[] = [];
  const decided = await decideConflicts(answered, { ...parts, pendingOf, storedByRecord, afterwards });
  const changes = answer.serverChanges.filter(({ objectName }) => configs.keepsRecordsOf(objectName));
  await listeners.serverChanges(changes);
  // Planned only now: a listener may have taken its time, and the user may have changed things meanwhile.
  const isPending = ({ mutation: { id, sequence } }: StoredEntry) => log.pending.get(id, sequence) !== undefined;
  const plan = planAnswer({
    // No conflict or rejection of a mutation that has left the log meanwhile: the user may have decided it in another
    // tab.
    decided: decided.filter(({ entry, result }) => result.status === 'applied' || isPending(entry)),
    answer,
    changes,
    checkpoint,
    storedByRecord,
    pendingOf,
    walk,
    now: platform.now(),
    newId: () => platform.newId(),
    keepsRecordsOf: (objectName) => configs.keepsRecordsOf(objectName),
    othersPassed: parts.othersPassed,
  });
  const { newEntries } = plan.outcomes;
  const pending = sent.filter(isPending);
  await log.commit({
    ...plan.change,
    newEntries: () => {
      // Another tab may have stored the same answer: its outcomes must not count twice.
      if (!pending.every(isPending)) throw new CheckpointMovedError();
      return newEntries;
    },
  });
  for (const work of afterwards) work();
  return plan;
}

/** The records that the answer names; at a walk's end also those with pending changes, which the sweep may remove. */
function refsOf({ sent, answer }: Answered, swept: ClientLog | undefined): readonly RecordRef[] {
  const pending = swept ? Array.from(swept.pending, ({ mutation }) => mutation) : [];
  return [...sent.map(({ mutation }) => mutation), ...answer.serverChanges, ...pending];
}

async function readStored(refs: readonly RecordRef[], { storage }: StoreParts): Promise<RecordMap<BaseRecord>> {
  const named = new RecordMap<RecordRef>();
  for (const ref of refs) named.set(ref, refOf(ref));
  const stored = new RecordMap<BaseRecord>();
  const records = refs.length === 0 ? [] : await storage.getRecords(named.values());
  for (const record of records) if (record) stored.set(record, record);
  return stored;
}
