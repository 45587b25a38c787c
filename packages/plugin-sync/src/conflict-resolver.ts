/** What becomes of a conflict: the strategies of `sync-types`, or the application's callback, decide. */
import {
  type Contest,
  type Json,
  type JsonObject,
  jsonEquals,
  type MutationOperation,
  type Strategy,
  type SyncConflict,
  type Verdict,
  type WriteStamp,
} from '@objectql/sync-types';

/**
 * Decides a conflict: the merged record, or `undefined` to leave it for the user. Called with the record as the server
 * has it (`null` when deleted) and the mutation that met it.
 */
export type OnConflict = (
  conflict: SyncConflict,
) => Readonly<Record<string, unknown>> | undefined | Promise<Readonly<Record<string, unknown>> | undefined>;

export type Resolution =
  /** A new mutation on top of what the server has. */
  | {
      readonly do: 'write';
      readonly operation: MutationOperation;
      readonly data?: JsonObject;
      readonly droppedFields: readonly string[];
      /** True when a rule decided, so that the mutation keeps the time of the one it stands for. */
      readonly isAutomatic: boolean;
    }
  /** The server's record stands. */
  | { readonly do: 'yield'; readonly droppedFields: readonly string[] }
  /** It waits in the conflict list. */
  | { readonly do: 'park' };

export interface ResolverOptions {
  readonly strategy: Strategy;
  readonly onConflict?: OnConflict | undefined;
}

/** What a resolution may need beside the conflict. */
export interface ConflictSurroundings {
  /** The record as this client saw it with its own change: what an update that outlives a delete is re-created from. */
  readonly localCopy: JsonObject | undefined;
  /** How many automatic resolutions lead here. */
  readonly round: number;
}

/** 5: two devices that keep overwriting each other are for a person to part. */
export const MAX_AUTOMATIC_ROUNDS = 5;

export class ConflictResolver {
  readonly #options: ResolverOptions;

  constructor(options: ResolverOptions) {
    this.#options = options;
  }

  /** Decides one conflict. A callback that throws parks it: nothing is decided by accident. */
  async resolve(conflict: SyncConflict, surroundings: ConflictSurroundings): Promise<Resolution> {
    if (surroundings.round >= MAX_AUTOMATIC_ROUNDS) return { do: 'park' };
    const verdict = verdictOf(conflict, this.#options.strategy);
    switch (verdict.do) {
      case 'keep':
        return { do: 'yield', droppedFields: fieldsOf(conflict) };
      case 'apply':
        return applied(conflict, verdict, surroundings.localCopy);
      case 'ask':
        return this.#ask(conflict, surroundings.localCopy);
    }
  }

  async #ask(conflict: SyncConflict, localCopy: JsonObject | undefined): Promise<Resolution> {
    if (!this.#options.onConflict) return { do: 'park' };
    const merged = await this.#options.onConflict(conflict);
    return merged === undefined ? { do: 'park' } : resolveWith(conflict, merged, localCopy);
  }
}

/** The user's decision on a conflict: their own change, what the server has, or a record merged from both. */
export type Choice = 'mine' | 'theirs' | Readonly<Record<string, unknown>>;

/** What a decision writes. Only fields that differ from the server's are written, so that nothing else is stamped anew. */
export function resolveWith(conflict: SyncConflict, choice: Choice, localCopy: JsonObject | undefined): Resolution {
  const { clientMutation, serverRecord } = conflict;
  if (choice === 'theirs') return { do: 'yield', droppedFields: [] };
  if (choice === 'mine' && clientMutation.operation === 'delete') {
    return { do: 'write', operation: 'delete', droppedFields: [], isAutomatic: false };
  }
  // Data is checked when it becomes a mutation; the cast only names what that check will have shown.
  const merged = (choice === 'mine' ? mineOver(conflict, localCopy) : choice) as JsonObject;
  if (serverRecord === null) {
    return { do: 'write', operation: 'create', data: merged, droppedFields: [], isAutomatic: false };
  }
  const changed: Record<string, Json> = {};
  for (const [field, value] of Object.entries(merged)) {
    if (!Object.hasOwn(serverRecord, field) || !jsonEquals(serverRecord[field], value)) changed[field] = value;
  }
  if (Object.keys(changed).length === 0) return { do: 'yield', droppedFields: [] };
  return { do: 'write', operation: 'update', data: changed, droppedFields: [], isAutomatic: false };
}

function mineOver({ clientMutation, serverRecord }: SyncConflict, localCopy: JsonObject | undefined): JsonObject {
  return serverRecord === null ? { ...localCopy, ...clientMutation.data } : (clientMutation.data ?? {});
}

/**
 * Who knows the strategy decides. A server that knows it has decided already, and what it reports as a conflict is for
 * the user, but for one case: an update that is later than a delete, which only the client has the data to re-create.
 */
function verdictOf(conflict: SyncConflict, strategy: Strategy): Verdict {
  if (conflict.strategy !== undefined) {
    const isRecreation = conflict.strategy === 'last-write-wins' && conflict.kind === 'update-delete';
    return isRecreation ? { do: 'apply', drop: [] } : { do: 'ask' };
  }
  const contest = contestOf(conflict);
  return contest ? strategy(contest) : { do: 'ask' };
}

/** The conflict as the server's strategy would have been given it; `undefined` where a protocol-1 server tells too little. */
function contestOf(conflict: SyncConflict): Contest | undefined {
  const { kind, clientStamp, serverStamps, deletedStamp, conflictFields, clientMutation, serverRecord } = conflict;
  if (kind === undefined || clientStamp === undefined) return contestOfProtocol1(conflict);
  return {
    kind,
    objectName: conflict.objectName,
    recordId: conflict.recordId,
    mine: { operation: clientMutation.operation, data: clientMutation.data ?? {}, stamp: clientStamp },
    theirs: {
      record: serverRecord,
      stamps: serverStamps ?? {},
      ...(deletedStamp === undefined ? {} : { deleted: deletedStamp }),
    },
    fields: conflict.conflictingFields,
    ...(conflictFields === undefined ? {} : { conflictFields }),
  };
}

/** A protocol-1 server tells when the record changed, if at all, in a field of the record itself. */
function contestOfProtocol1(conflict: SyncConflict): Contest | undefined {
  const { clientMutation, serverRecord, conflictingFields } = conflict;
  const time = Date.parse(String(serverRecord?.updated_at ?? ''));
  if (serverRecord === null || Number.isNaN(time)) return undefined;
  const theirs: WriteStamp = { time, logId: '', sequence: 0 };
  return {
    kind: clientMutation.operation === 'delete' ? 'delete-update' : 'update-update',
    objectName: conflict.objectName,
    recordId: conflict.recordId,
    mine: {
      operation: clientMutation.operation,
      data: clientMutation.data ?? {},
      stamp: {
        time: Date.parse(clientMutation.timestamp),
        logId: clientMutation.clientId,
        sequence: clientMutation.sequence,
      },
    },
    theirs: { record: serverRecord, stamps: Object.fromEntries(conflictingFields.map((field) => [field, theirs])) },
    fields: conflictingFields,
  };
}

function applied(
  { clientMutation, serverRecord }: SyncConflict,
  { drop, merged }: Extract<Verdict, { do: 'apply' }>,
  localCopy: JsonObject | undefined,
): Resolution {
  if (clientMutation.operation === 'delete') {
    return { do: 'write', operation: 'delete', droppedFields: [], isAutomatic: true };
  }
  const mine: Record<string, Json> = {};
  for (const [field, value] of Object.entries(clientMutation.data ?? {})) {
    if (!drop.includes(field)) mine[field] = value;
  }
  const data = { ...mine, ...merged };
  if (serverRecord === null) {
    return {
      do: 'write',
      operation: 'create',
      data: { ...localCopy, ...data },
      droppedFields: drop,
      isAutomatic: true,
    };
  }
  if (Object.keys(data).length === 0) return { do: 'yield', droppedFields: drop };
  return { do: 'write', operation: 'update', data, droppedFields: drop, isAutomatic: true };
}

/** What the user loses when the server's record stands: for a delete, the fields that were saved from it. */
function fieldsOf({ clientMutation, conflictingFields }: SyncConflict): readonly string[] {
  return clientMutation.operation === 'delete' ? conflictingFields : Object.keys(clientMutation.data ?? {});
}
