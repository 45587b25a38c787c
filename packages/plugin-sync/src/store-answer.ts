/** From an answer to a durable state: conflicts are resolved, listeners hear the changes, and one transaction stores it all. */
import {
  type JsonObject,
  ownValue,
  type RecordRef,
  recordKey,
  type SyncConflict,
  type SyncPushResponse,
} from '@objectql/sync-types';
import type { ConflictResolver, Resolution } from './conflict-resolver.js';
import type { Exchanged } from './exchange.js';
import type { MutationLogger } from './mutation-logger.js';
import { checkNewMutation } from './new-mutation.js';
import { type AnswerPlan, type FollowUp, planAnswer } from './plan-answer.js';
import type { Platform } from './platform/platform.js';
import { rebase } from './rebase.js';
import type { BaseRecord, ClientMeta, ClientStorage, StorageBatch, StoredEntry } from './storage/client-storage.js';
import type { Listeners } from './sync-listener.js';

export interface StoreParts {
  readonly log: MutationLogger;
  readonly storage: ClientStorage;
  readonly platform: Platform;
  readonly listeners: Listeners;
  readonly resolverOf: (objectName: string) => ConflictResolver;
  readonly keepsChangesOf: (objectName: string) => boolean;
  readonly othersPassed: (id: string) => boolean;
}

/** What an answer did, to be told once it is durable. */
export interface StoredAnswer {
  readonly plan: AnswerPlan;
  /** For each conflict that was resolved by a new mutation, the id of that mutation. */
  readonly successors: ReadonlyMap<string, string>;
  readonly conflicts: readonly SyncConflict[];
  readonly isWalkOver: boolean;
}

/** Walks that follow a changed epoch: what was stored before them has versions that mean nothing any more. */
export const EPOCH_WALK_PREFIX = 'epoch:';

/** Stores an answer. Rejects, with nothing stored, when the storage or a listener for server changes fails. */
export async function storeAnswer(exchanged: Exchanged, parts: StoreParts): Promise<StoredAnswer> {
  const { sent, answer, checkpoint } = exchanged;
  const { log, storage, platform, listeners } = parts;
  const walk = walkOf(answer, log.meta, platform);
  const baseByKey = await readBase(refsOf(exchanged), storage);
  const { conflicts, resolutions } = await resolveConflicts(exchanged, { parts, baseByKey });
  const plan = planAnswer({
    sent,
    answer,
    resolutions,
    baseByKey,
    walk,
    now: platform.now(),
    keepsChangesOf: parts.keepsChangesOf,
    othersPassed: parts.othersPassed,
  });
  await listeners.serverChanges(plan.changes);
  const successors = new Map<string, string>();
  const followUps = plan.followUps.flatMap((followUp) => {
    const entry = makeFollowUp(followUp, log);
    if (entry) successors.set(followUp.of.mutation.id, entry.mutation.id);
    return entry ?? [];
  });
  const cleared = answer.reset === 'epoch' ? withoutBases(log, new Set(plan.batch.removeEntries)) : [];
  const batch: Omit<StorageBatch, 'meta'> = {
    ...plan.batch,
    expectCheckpoint: checkpoint,
    putEntries: [...cleared, ...(plan.batch.putEntries ?? []), ...followUps],
  };
  const isWalkOver = plan.batch.sweepWalk !== undefined;
  await log.commit(batch, { checkpoint: answer.checkpoint, walk: isWalkOver ? null : walk });
  return { plan, successors, conflicts, isWalkOver };
}

/** A reset begins a new walk; otherwise the one under way goes on. */
function walkOf({ reset }: SyncPushResponse, { walk }: ClientMeta, platform: Platform): string | null {
  if (reset === undefined) return walk;
  return reset === 'epoch' ? EPOCH_WALK_PREFIX + platform.newId() : platform.newId();
}

function refsOf({ sent, answer }: Exchanged): readonly RecordRef[] {
  return [...sent.map(({ mutation }) => mutation), ...answer.serverChanges].map(({ objectName, recordId }) => ({
    objectName,
    recordId,
  }));
}

async function readBase(refs: readonly RecordRef[], storage: ClientStorage): Promise<ReadonlyMap<string, BaseRecord>> {
  const unique = [...new Map(refs.map((ref) => [recordKey(ref), ref])).values()];
  const records = unique.length === 0 ? [] : await storage.getRecords(unique);
  return new Map(records.flatMap((record) => (record ? [[recordKey(record), record] as const] : [])));
}

async function resolveConflicts(
  { sent, answer }: Exchanged,
  { parts, baseByKey }: { readonly parts: StoreParts; readonly baseByKey: ReadonlyMap<string, BaseRecord> },
) {
  const conflicts: SyncConflict[] = [];
  const resolutions = new Map<string, Resolution>();
  for (const [index, entry] of sent.entries()) {
    const result = answer.results[index];
    if (result?.status !== 'conflict') continue;
    const { id, objectName } = entry.mutation;
    conflicts.push(result.conflict);
    resolutions.set(
      id,
      await resolveOne(entry, result.conflict, { parts, baseByKey, resolver: parts.resolverOf(objectName) }),
    );
  }
  return { conflicts, resolutions };
}

interface ResolveParts {
  readonly parts: StoreParts;
  readonly baseByKey: ReadonlyMap<string, BaseRecord>;
  readonly resolver: ConflictResolver;
}

async function resolveOne(
  entry: StoredEntry,
  conflict: SyncConflict,
  { parts, baseByKey, resolver }: ResolveParts,
): Promise<Resolution> {
  const localCopy = localCopyOf(entry, baseByKey.get(recordKey(entry.mutation)), parts.log);
  try {
    const resolution = await resolver.resolve(conflict, { localCopy, round: entry.round });
    if (resolution.do !== 'write' || resolution.operation === 'delete') return resolution;
    // A callback's record is the application's: it is checked like any other before it becomes a mutation.
    const { objectName, recordId } = entry.mutation;
    checkNewMutation({
      objectName,
      recordId,
      operation: resolution.operation,
      data: resolution.data,
      baseVersion: null,
    });
    return resolution;
  } catch (error) {
    parts.listeners.error(error);
    return { do: 'park' };
  }
}

/** The record as the user saw it when this change was made: the base with the log's changes up to it. */
function localCopyOf(
  { mutation }: StoredEntry,
  base: BaseRecord | undefined,
  log: MutationLogger,
): JsonObject | undefined {
  const upToIt = log.entriesOf(mutation).filter((other) => other.mutation.sequence <= mutation.sequence);
  return rebase(mutation, base, upToIt)?.data;
}

/** The mutation that stands for one that met a conflict; nothing when the user has since overwritten all of it. */
function makeFollowUp({ of, conflict, resolution }: FollowUp, log: MutationLogger): StoredEntry | undefined {
  const { objectName, recordId, sequence, timestamp } = of.mutation;
  const later = log.entriesOf(of.mutation).filter(({ mutation }) => mutation.sequence > sequence);
  if (later.some(({ mutation }) => mutation.operation === 'delete')) return undefined;
  const { operation, isAutomatic } = resolution;
  const isOverwritten = (field: string) =>
    later.some(({ mutation }) => ownValue(mutation.data ?? {}, field) !== undefined);
  const rest = Object.entries(resolution.data ?? {}).filter(([field]) => !isOverwritten(field));
  if (operation === 'update' && rest.length === 0) return undefined;
  const baseVersion = conflict.serverVersion ?? null;
  const data = operation === 'delete' ? undefined : Object.freeze(Object.fromEntries(rest));
  return log.makeEntry(
    { objectName, recordId, operation, data, baseVersion },
    { round: of.round + 1, ...(isAutomatic ? { timestamp } : {}) },
  );
}

/** A base of another epoch is unknown: every pending mutation is sent again without one. */
function withoutBases(log: MutationLogger, settled: ReadonlySet<string>): readonly StoredEntry[] {
  return [...log.entries()]
    .filter(({ mutation }) => mutation.baseVersion !== null && !settled.has(mutation.id) && log.isDurable(mutation.id))
    .map((entry) => ({ ...entry, mutation: Object.freeze({ ...entry.mutation, baseVersion: null }) }));
}
