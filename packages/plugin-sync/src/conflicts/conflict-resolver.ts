/** What becomes of a conflict: the strategies of `sync-types`, or the application's callback, decide. */
import {
  countedFields,
  type Json,
  type JsonObject,
  jsonEquals,
  lastWriteWins,
  type MutationOperation,
  STRATEGIES,
  type Strategy,
  type SyncConflict,
  type Verdict,
} from '@objectql/sync-types';
import { SyncUsageError } from '../sync-usage-error.js';
import { anyObject, parseOr } from '../transport/wire-parser.js';
import { contestOf, isTimed } from './conflict-contest.js';

/** A record merged by the application. */
export type MergedRecord = Readonly<Record<string, unknown>>;

/**
 * Decides a conflict: the merged record, or `undefined` to leave it for the user. Called with the record as the server
 * has it (`null` when deleted) and the mutation that met it.
 */
export type OnConflict = (conflict: SyncConflict) => MergedRecord | undefined | Promise<MergedRecord | undefined>;

/** What becomes of a conflict. */
export type Resolution =
  /** A new mutation on top of what the server has. */
  | {
      readonly do: 'write';
      readonly operation: MutationOperation;
      /** Absent for a delete. What an application merged is checked when it becomes a mutation. */
      readonly data?: MergedRecord;
      readonly droppedFields: readonly string[];
      /** True when a rule decided, so that the mutation keeps the time of the one it stands for. */
      readonly isAutomatic: boolean;
    }
  /** The server's record stands. */
  | { readonly do: 'yield'; readonly droppedFields: readonly string[] }
  /** It waits in the conflict list. */
  | { readonly do: 'park' };

/** How the conflicts of one object are decided. */
export interface ResolverOptions {
  /** Decides where the server knows no strategy. */
  readonly strategy: Strategy;
  /** The fields that count as conflicting where the server declares none. */
  readonly conflictFields?: readonly string[] | undefined;
  readonly onConflict?: OnConflict | undefined;
}

/** What a resolution may need beside the conflict. */
export interface ConflictSurroundings {
  /** The record without this change, as this client has it: what an update that outlives a delete is re-created from. */
  readonly localCopy: JsonObject | undefined;
  /** How many automatic resolutions lead here. */
  readonly round: number;
}

/** 5: two devices that keep overwriting each other are for a person to part. */
const MAX_AUTOMATIC_ROUNDS = 5;

/** Decides conflicts of one object. Who knows the strategy decides: the server, or where it knows none, this client. */
export class ConflictResolver {
  readonly #options: ResolverOptions;

  constructor(options: ResolverOptions) {
    this.#options = options;
  }

  /** Decides one conflict. Rejects when the callback does. */
  async resolve(conflict: SyncConflict, { localCopy, round }: ConflictSurroundings): Promise<Resolution> {
    if (round >= MAX_AUTOMATIC_ROUNDS) return { do: 'park' };
    const verdict = this.#verdict(conflict);
    switch (verdict.do) {
      case 'keep':
        return { do: 'yield', droppedFields: fieldsOf(conflict) };
      case 'apply':
        // A record whose other fields nobody here knows is not re-created from a few of them.
        if (isRecreation(conflict) && !localCopy) return this.#ask(conflict);
        return applied(conflict, verdict, localCopy);
      case 'ask':
        return this.#ask(conflict);
    }
  }

  #verdict(conflict: SyncConflict): Verdict {
    // What stands against a delete is hidden from this user: no rule can weigh it.
    if (conflict.kind === 'delete-update' && conflict.conflictingFields.length === 0) return { do: 'ask' };
    const strategy = this.#strategyFor(conflict);
    if (!strategy) return { do: 'ask' };
    const contest = contestOf(conflict, conflict.strategy === undefined ? this.#options.conflictFields : undefined);
    const verdict = strategy(contest);
    // Fields that do not count go by time under every strategy: what is written at an unknown time may be later.
    const goesByTime = strategy === lastWriteWins || countedFields(contest).length < contest.fields.length;
    return verdict.do === 'apply' && goesByTime && !isTimed(conflict) ? { do: 'ask' } : verdict;
  }

  /** A server that knows the strategy has run it: running it again says which conflicts it left to the client's data. */
  #strategyFor({ strategy }: SyncConflict): Strategy | undefined {
    if (strategy === undefined) return this.#options.strategy;
    return strategy === 'custom' ? undefined : STRATEGIES[strategy];
  }

  async #ask(conflict: SyncConflict): Promise<Resolution> {
    const merged: unknown = await this.#options.onConflict?.(conflict);
    if (merged === undefined) return { do: 'park' };
    return resolveWith(conflict, recordOf(merged, `What onConflict returns for a ${conflict.objectName}`, ADVICE));
  }
}

/** The user's decision on a conflict: their own change, what the server has, or a record merged from both. */
export type Choice = 'mine' | 'theirs' | MergedRecord;

/**
 * What a decision writes. Only fields that differ from the server's are written, so that nothing else is stamped anew.
 * `copy` is the record as the user saw it, for a change of their own to a record the server has deleted.
 */
export function resolveWith(conflict: SyncConflict, choice: Choice, copy?: JsonObject): Resolution {
  const { clientMutation, serverRecord } = conflict;
  if (choice === 'theirs') return { do: 'yield', droppedFields: fieldsOf(conflict) };
  if (choice === 'mine' && clientMutation.operation === 'delete') return writeOf('delete');
  const mine = { ...(serverRecord === null ? copy : {}), ...clientMutation.data };
  const merged = choice === 'mine' ? mine : recordOf(choice, `What is neither 'mine' nor 'theirs'`);
  if (serverRecord === null) return writeOf('create', merged);
  const changed = Object.entries(merged).filter(
    ([field, value]) => !Object.hasOwn(serverRecord, field) || !jsonEquals(serverRecord[field], value),
  );
  return changed.length === 0 ? { do: 'yield', droppedFields: [] } : writeOf('update', Object.fromEntries(changed));
}

function writeOf(operation: MutationOperation, data?: MergedRecord): Resolution {
  return { do: 'write', operation, ...(data ? { data } : {}), droppedFields: [], isAutomatic: false };
}

function applied(
  conflict: SyncConflict,
  { drop, merged }: Extract<Verdict, { do: 'apply' }>,
  localCopy: JsonObject | undefined,
): Resolution {
  const automatic = { do: 'write', droppedFields: drop, isAutomatic: true } as const;
  const { operation, data = {} } = conflict.clientMutation;
  if (operation === 'delete') return { ...automatic, operation: 'delete' };
  const kept = Object.entries<Json>(data).filter(([field]) => !drop.includes(field));
  const mine = { ...Object.fromEntries(kept), ...merged };
  if (isRecreation(conflict)) return { ...automatic, operation: 'create', data: { ...localCopy, ...mine } };
  if (Object.keys(mine).length === 0) return { do: 'yield', droppedFields: drop };
  return { ...automatic, operation: 'update', data: mine };
}

function isRecreation({ clientMutation, serverRecord }: SyncConflict): boolean {
  return serverRecord === null && clientMutation.operation !== 'delete';
}

/** What the user loses when the server's record stands: for a delete, the fields that were saved from it. */
function fieldsOf({ clientMutation, conflictingFields }: SyncConflict): readonly string[] {
  return clientMutation.operation === 'delete' ? conflictingFields : Object.keys(clientMutation.data ?? {});
}

/** Its fields are checked when it becomes a mutation. */
function recordOf(merged: unknown, what: string, advice = ''): MergedRecord {
  return parseOr(
    () => anyObject(merged) as MergedRecord,
    ({ message }) => new SyncUsageError('INVALID_MUTATION', `${what} ${message}.${advice}`),
  );
}

const ADVICE = ' Return the merged record, or undefined to leave the conflict to the user.';
