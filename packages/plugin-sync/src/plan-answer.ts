/**
 * What one answer changes in the client's storage: a pure function of the answer and what the client has, so that it all
 * becomes durable in one transaction.
 */
import { type RecordRef, recordKey, type SyncPushResponse, type SyncServerChange } from '@objectql/sync-types';
import type { LogChange } from './log-change.js';
import type { MutationOutcome } from './mutation-outcome.js';
import { type Decided, type Hold, OutcomePlan, type Succession } from './outcome-plan.js';
import { RecordDrafts } from './record-drafts.js';
import type { BaseRecord, StorageBatch, StoredEntry } from './storage/client-storage.js';
import type { DroppedFields } from './sync-listener.js';
import { isEpochWalk } from './walk.js';

export interface AnswerInput {
  readonly sent: readonly StoredEntry[];
  /** Its results stand in the order of `sent`. */
  readonly answer: SyncPushResponse;
  /** For each conflict, by mutation id, how it is decided. */
  readonly decidedById: ReadonlyMap<string, Decided>;
  /** The stored records that the answer names, by record key; at a walk's end also those with pending entries. */
  readonly storedByKey: ReadonlyMap<string, BaseRecord>;
  /** The pending entries of a record, the oldest first. */
  readonly pendingOf: (ref: RecordRef) => readonly StoredEntry[];
  /** The walk this answer belongs to, if the feed is being walked anew. */
  readonly walk: string | null;
  /** Epoch milliseconds. */
  readonly now: number;
  /** False for objects whose records this client does not keep. */
  readonly keepsRecordsOf: (objectName: string) => boolean;
  /** True when another mutation was settled since this one was last tried. */
  readonly othersPassed: (id: string) => boolean;
}

export interface AnswerPlan {
  readonly change: LogChange & { readonly batch: Omit<StorageBatch, 'meta'> };
  readonly outcomes: ReadonlyMap<string, MutationOutcome>;
  readonly successions: readonly Succession[];
  readonly holds: readonly Hold[];
  readonly isBatchTooLarge: boolean;
  readonly dropped: readonly DroppedFields[];
  /** The records whose stored state changes, or whose pending mutations do. */
  readonly touched: readonly RecordRef[] | 'all';
  /** The changes this client keeps, as listeners are told. */
  readonly changes: readonly SyncServerChange[];
}

/** Plans what an answer changes: first the outcomes of what was sent, then what the server tells on top. */
export function planAnswer(input: AnswerInput): AnswerPlan {
  const { sent, answer, walk } = input;
  const outcomes = planOutcomes(input);
  const changes = answer.serverChanges.filter(({ objectName }) => input.keepsRecordsOf(objectName));
  const { records, ownDeletes } = draftRecords(input, changes);
  const isWalkOver = walk !== null && answer.hasMore !== true;
  const copied = copiesOfDeleted(input, { outcomes, records, ownDeletes, isWalkOver });
  return {
    change: {
      batch: {
        ...records.batch(),
        ...(isWalkOver ? { sweepWalk: walk } : {}),
        removeEntries: [...outcomes.settledIds],
        putEntries: mergeEntries(outcomes.charged, copied),
        putConflicts: outcomes.conflicts,
        putDeadLetters: outcomes.deadLetters,
      },
      meta: { checkpoint: answer.checkpoint, walk: isWalkOver ? null : walk },
      newEntries: outcomes.newEntries,
      forgetBases: answer.reset === 'epoch' || (isWalkOver && isEpochWalk(walk)),
    },
    outcomes: outcomes.outcomes,
    successions: outcomes.successions,
    holds: outcomes.holds,
    isBatchTooLarge: outcomes.isBatchTooLarge,
    dropped: outcomes.dropped,
    touched: isWalkOver ? 'all' : [...sent.map(({ mutation }) => refOf(mutation)), ...changes.map(refOf)],
    changes,
  };
}

function planOutcomes({ sent, answer, decidedById, pendingOf, othersPassed, now }: AnswerInput): OutcomePlan {
  const plan = new OutcomePlan({
    results: answer.results,
    decidedById,
    laterThan: ({ mutation }) => pendingOf(mutation).filter((other) => other.mutation.sequence > mutation.sequence),
    othersPassed,
    now,
  });
  for (const [index, entry] of sent.entries()) {
    const result = answer.results[index];
    if (result) plan.take(entry, result);
  }
  return plan;
}

function draftRecords(input: AnswerInput, changes: readonly SyncServerChange[]) {
  const { sent, answer, decidedById, storedByKey, walk } = input;
  const records = new RecordDrafts(storedByKey, walk);
  const ownDeletes = new Set<string>();
  for (const [index, { mutation }] of sent.entries()) {
    const result = answer.results[index];
    if (!result || !input.keepsRecordsOf(mutation.objectName)) continue;
    if (result.status === 'conflict') {
      const { serverVersion, serverRecord } = decidedById.get(mutation.id)?.conflict ?? result.conflict;
      if (serverVersion !== undefined) records.put(mutation, serverVersion, serverRecord);
    } else if (result.status === 'applied') {
      const { serverVersion, record } = result;
      if (record !== undefined) records.put(mutation, serverVersion, record);
      else if (mutation.operation === 'delete') {
        records.put(mutation, serverVersion, null);
        ownDeletes.add(recordKey(mutation));
      } else {
        // Without a record, the new state is what this client had plus what it sent; an update of a record that is not
        // here cannot be computed, and none was promised: the feed brings it.
        const { operation, data = {} } = mutation;
        const before = operation === 'create' ? undefined : records.get(mutation)?.data;
        if (before) records.put(mutation, serverVersion, { ...before, ...data });
        else if (operation === 'create') records.put(mutation, serverVersion, data);
      }
    }
  }
  for (const change of changes) {
    records.put(change, change.serverVersion, change.operation === 'delete' ? null : (change.data ?? {}));
  }
  return { records, ownDeletes };
}

/**
 * Entries that still wait while the server's record goes from under them: they keep a copy of it, from which the user's
 * change can re-create the record if it wins over the delete.
 */
function copiesOfDeleted(
  { sent, storedByKey, pendingOf }: AnswerInput,
  { outcomes, records, ownDeletes, isWalkOver }: CopyParts,
): readonly StoredEntry[] {
  const isSettled = ({ mutation }: StoredEntry) => outcomes.settledIds.has(mutation.id);
  const swept = isWalkOver ? [...storedByKey.values()].filter((record) => records.isSwept(record)) : [];
  const lost: readonly LostRecord[] = [
    ...records.removed().filter((record) => !ownDeletes.has(recordKey(record))),
    ...swept,
    // A copy that was kept before outlives the entry that carried it.
    ...sent.flatMap((entry) =>
      entry.copy && isSettled(entry) && !records.get(entry.mutation)
        ? [{ ...refOf(entry.mutation), data: entry.copy }]
        : [],
    ),
  ];
  return lost.flatMap((record) => {
    const next = pendingOf(record).find((entry) => !isSettled(entry));
    return next?.mutation.operation === 'update' && !next.copy ? [{ ...next, copy: record.data }] : [];
  });
}

type LostRecord = RecordRef & Pick<BaseRecord, 'data'>;

interface CopyParts {
  readonly outcomes: OutcomePlan;
  readonly records: RecordDrafts;
  readonly ownDeletes: ReadonlySet<string>;
  readonly isWalkOver: boolean;
}

/** One entry for each id, with what either list changes of it. */
function mergeEntries(charged: readonly StoredEntry[], copied: readonly StoredEntry[]): readonly StoredEntry[] {
  const entryById = new Map(charged.map((entry) => [entry.mutation.id, entry]));
  for (const entry of copied) {
    const { id } = entry.mutation;
    entryById.set(id, { ...entry, tries: entryById.get(id)?.tries ?? entry.tries });
  }
  return [...entryById.values()];
}

function refOf({ objectName, recordId }: RecordRef): RecordRef {
  return { objectName, recordId };
}
