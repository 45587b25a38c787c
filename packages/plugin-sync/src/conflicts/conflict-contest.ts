/** Turns a conflict from the wire into what a strategy gets. */
import {
  type ConflictKind,
  type Contest,
  type MutationLogEntry,
  recordKey,
  type SyncConflict,
  type SyncServerChange,
  type WriteStamp,
} from '@objectql/sync-types';
import type { BaseRecord } from '../storage/client-storage.js';

/** What else is known of a conflict's record. */
export interface ConflictContext {
  /** The changes that came with the conflict. */
  readonly serverChanges: readonly SyncServerChange[];
  readonly base: BaseRecord | undefined;
}

/**
 * Adds what a protocol-1 server leaves out: the kind follows from the operations, version and time from the record's
 * change if one came along. Without one the time stays unknown, and decides nothing.
 */
export function completeConflict(conflict: SyncConflict, { serverChanges, base }: ConflictContext): SyncConflict {
  if (conflict.kind && conflict.clientStamp) return conflict;
  const key = recordKey(conflict);
  const change = serverChanges.find((candidate) => recordKey(candidate) === key);
  const stamp = change && { time: Date.parse(change.timestamp), logId: '', sequence: 0 };
  const serverVersion = conflict.serverVersion ?? change?.serverVersion ?? base?.version;
  return {
    ...conflict,
    kind: conflict.kind ?? kindOf(conflict),
    clientStamp: stampOf(conflict.clientMutation),
    ...(serverVersion === undefined ? {} : { serverVersion }),
    ...(stamp ? serverStampsOf(conflict, stamp) : {}),
  };
}

/**
 * The contest behind a completed conflict; its conflict fields are those the server declares, or else this client's.
 */
export function contestOf(conflict: SyncConflict, ownConflictFields: readonly string[] | undefined): Contest {
  const { objectName, recordId, clientMutation, serverRecord, serverStamps, deletedStamp } = conflict;
  return {
    kind: conflict.kind ?? kindOf(conflict),
    objectName,
    recordId,
    mine: {
      operation: clientMutation.operation,
      data: clientMutation.data ?? {},
      stamp: conflict.clientStamp ?? stampOf(clientMutation),
    },
    theirs: { record: serverRecord, stamps: serverStamps ?? {}, deleted: deletedStamp },
    fields: conflict.conflictingFields,
    conflictFields: conflict.conflictFields ?? ownConflictFields,
  };
}

/** True when the time of the server's writes is known. */
export function isTimed({ serverStamps, deletedStamp }: SyncConflict): boolean {
  return serverStamps !== undefined || deletedStamp !== undefined;
}

function serverStampsOf(
  { serverRecord, conflictingFields }: SyncConflict,
  stamp: WriteStamp,
): Pick<SyncConflict, 'serverStamps' | 'deletedStamp'> {
  if (serverRecord === null) return { deletedStamp: stamp };
  return { serverStamps: Object.fromEntries(conflictingFields.map((field) => [field, stamp])) };
}

function stampOf({ timestamp, clientId, sequence }: MutationLogEntry): WriteStamp {
  return { time: Date.parse(timestamp), logId: clientId, sequence };
}

function kindOf({ clientMutation, serverRecord }: SyncConflict): ConflictKind {
  if (serverRecord === null) return 'update-delete';
  switch (clientMutation.operation) {
    case 'create':
      return 'create-create';
    case 'update':
      return 'update-update';
    case 'delete':
      return 'delete-update';
  }
}
