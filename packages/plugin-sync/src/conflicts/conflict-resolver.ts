/** Decides what becomes of a conflict, by the strategies of `sync-types` or the application's callback. */
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
 * Decides a conflict: returns the merged record, or `undefined` to leave it to the user. Called with the server's
 * record (`null` when deleted) and the mutation that met it.
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
      /** True when a rule decided: the mutation then keeps the time of the one it replaces. */
      readonly isAutomatic: boolean;
    }
  /** The server's record stands. */
  | { readonly do: 'yield'; readonly droppedFields: readonly string[] }
  /** It waits in the conflict list. */
  | { readonly do: 'park' };

/** How the conflicts of one object are decided. */
export interface ResolverOptions {
  /** Decides if the server knows no strategy. */
  readonly strategy: Strategy;
  /** The fields that count as conflicting if the server declares none. */
  readonly conflictFields?: readonly string[] | undefined;
  readonly onConflict?: OnConflict | undefined;
}

/** What a resolution may need beside the conflict. */
export interface ConflictSurroundings {
  /**
   * The record without this change, as this client has it: from it an update that outlives a delete re-creates the
   * record.
   */
  readonly localCopy: JsonObject | undefined;
  /** How many automatic resolutions lead here. */
  readonly round: number;
}

/** 5: if two devices keep overwriting each other, a person must decide. */
const MAX_AUTOMATIC_ROUNDS = 5;

/** Decides conflicts of one object. The server decides if it knows the strategy, else this client. */
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
        // A record is not re-created from a few fields when nobody here knows the others.
        if (isRecreation(conflict) && !localCopy) return this.#ask(conflict);
        return applied(conflict, verdict, localCopy);
      case 'ask':
        return this.#ask(conflict);
    }
  }

  #verdict(conflict: SyncConflict): Verdict {
    // The fields that stand against the delete are hidden from this user: no rule can weigh them.
    if (conflict.kind === 'delete-update' && conflict.conflictingFields.length === 0) return { do: 'ask' };
    const strategy = this.#strategyFor(conflict);
    if (!strategy) return { do: 'ask' };
    const contest = contestOf(conflict, conflict.strategy === undefined ? this.#options.conflictFields : undefined);
    const verdict = strategy(contest);
    // Fields that do not count go by time under every strategy: a write at an unknown time may be the later one.
    const goesByTime = strategy === lastWriteWins || countedFields(contest).length < contest.fields.length;
    return verdict.do === 'apply' && goesByTime && !isTimed(conflict) ? { do: 'ask' } : verdict;
  }

  /**
   * A server that knows the strategy has already run it: running it again tells which conflicts need the client's data.
   */
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
 * What a decision writes. Only fields that differ from the server's are written, so that no other field gets a new
 * stamp. `copy` is the record as the user saw it, for their change to a record that the server has deleted.
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

/** The fields are checked when the record becomes a mutation. */
function recordOf(merged: unknown, what: string, advice = ''): MergedRecord {
  return parseOr(
    () => anyObject(merged) as MergedRecord,
    ({ message }) => new SyncUsageError('INVALID_MUTATION', `${what} ${message}.${advice}`),
  );
}

const ADVICE = ' Return the merged record, or undefined to leave the conflict to the user.';
