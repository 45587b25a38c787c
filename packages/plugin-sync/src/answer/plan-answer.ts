/**
 * What one answer changes in the client's storage: a pure function of the answer and what the client has, so that it all
 * becomes durable in one transaction.
 */
import {
  type JsonObject,
  type MutationLogEntry,
  type RecordMap,
  type RecordRef,
  refOf,
  type SyncServerChange,
} from '@objectql/sync-types';
import type { Answered } from '../cycle/exchange.js';
import type { LogChange } from '../log/log-change.js';
import type { Changed } from '../records/record-watch.js';
import type { BaseRecord, StorageBatch, StoredEntry } from '../storage/client-storage.js';
import { type OutcomeInput, OutcomePlan } from './outcome-plan.js';
import { RecordDrafts } from './record-drafts.js';
import { isEpochWalk } from './walk.js';

export interface AnswerInput extends OutcomeInput {
  readonly answer: Omit<Answered['answer'], 'results' | 'serverChanges'>;
  /** The answer's changes of objects whose records this client keeps. */
  readonly changes: readonly SyncServerChange[];
  /** The checkpoint the request was made with. */
  readonly checkpoint: string | null;
  /** The stored records that the answer names; at a walk's end also those with pending entries. */
  readonly storedByRecord: RecordMap<BaseRecord>;
  /** The walk this answer belongs to, if the feed is being walked anew. */
  readonly walk: string | null;
  /** False for objects whose records this client does not keep. */
  readonly keepsRecordsOf: (objectName: string) => boolean;
}

export interface AnswerPlan {
  readonly change: LogChange & { readonly batch: Omit<StorageBatch, 'meta'> };
  /** What becomes of the mutations that were sent. */
  readonly outcomes: OutcomePlan;
  /** The records whose stored state or pending mutations change. */
  readonly touched: Changed;
}

/** Plans what an answer changes: first the outcomes of what was sent, then the server's changes on top. */
export function planAnswer(input: AnswerInput): AnswerPlan {
  const { decided, answer, changes, walk, checkpoint } = input;
  const outcomes = new OutcomePlan(input);
  const records = draftRecords(input);
  const isWalkOver = walk !== null && answer.hasMore !== true;
  const isEpochReset = answer.reset === 'epoch';
  keepCopies(input, { outcomes, records, isWalkOver });
  return {
    change: {
      batch: {
        ...records.batch(),
        ...(isWalkOver ? { sweepWalk: walk } : {}),
        expectCheckpoint: checkpoint,
        removeEntries: [...outcomes.settled.keys()],
        putEntries: [...outcomes.changedById.values()],
        putConflicts: outcomes.parked,
        putDeadLetters: outcomes.deadLetters,
      },
      meta: { checkpoint: answer.checkpoint, walk: isWalkOver ? null : walk },
      forgetBases: isEpochReset || (isWalkOver && isEpochWalk(walk)),
    },
    outcomes,
    touched: isWalkOver ? 'all' : [...decided.map(({ entry }) => entry.mutation), ...changes],
  };
}

function draftRecords({ decided, changes, storedByRecord, walk, keepsRecordsOf }: AnswerInput): RecordDrafts {
  const records = new RecordDrafts(storedByRecord, walk);
  for (const { entry, result } of decided) {
    const { mutation } = entry;
    if (!keepsRecordsOf(mutation.objectName)) continue;
    if (result.status === 'conflict') {
      const { serverVersion, serverRecord } = result.conflict;
      if (serverVersion !== undefined) records.put(mutation, serverVersion, serverRecord);
    } else if (result.status === 'applied') {
      const { serverVersion, record = stateAfter(mutation, records.get(mutation)?.data) } = result;
      if (record !== undefined) records.put(mutation, serverVersion, record);
    }
  }
  for (const change of changes) {
    records.put(change, change.serverVersion, change.operation === 'delete' ? null : (change.data ?? NO_FIELDS));
  }
  return records;
}

/**
 * The state that the server leaves the client to compute: the record here plus what was sent. An update of a record
 * that is not here cannot be computed, and need not be: the feed brings the record.
 */
function stateAfter(
  { operation, data = NO_FIELDS }: MutationLogEntry,
  before: JsonObject | undefined,
): JsonObject | null | undefined {
  switch (operation) {
    case 'create':
      return data;
    case 'update':
      return before && Object.freeze({ ...before, ...data });
    case 'delete':
      return null;
  }
}

/**
 * Entries that still wait when the server's record disappears keep a copy of it, from which the user's change can
 * re-create the record if it wins over the delete.
 */
function keepCopies(
  { decided, storedByRecord, pendingOf, walk }: AnswerInput,
  { outcomes, records, isWalkOver }: CopyParts,
): void {
  const isSettled = ({ mutation }: StoredEntry) => outcomes.settled.has(mutation.id);
  const known: (RecordRef & Pick<BaseRecord, 'data'>)[] = [];
  // A copy outlives the entry that carried it.
  for (const { entry } of decided) {
    if (entry.copy && isSettled(entry)) known.push({ ...refOf(entry.mutation), data: entry.copy });
  }
  for (const before of [...known, ...storedByRecord.values()]) {
    const after = records.get(before);
    // A record is swept when the walk ends without having seen it.
    if (after && !(isWalkOver && after.walk !== walk)) continue;
    // A record that the user has deleted must not come back.
    const next = pendingOf(before).find((entry) => !isSettled(entry) || isDelete(entry));
    if (next?.mutation.operation !== 'update' || next.copy) continue;
    const { id } = next.mutation;
    outcomes.changedById.set(id, { ...(outcomes.changedById.get(id) ?? next), copy: before.data });
  }
}

interface CopyParts {
  readonly outcomes: OutcomePlan;
  readonly records: RecordDrafts;
  readonly isWalkOver: boolean;
}

function isDelete({ mutation }: StoredEntry): boolean {
  return mutation.operation === 'delete';
}

const NO_FIELDS: JsonObject = Object.freeze({});
