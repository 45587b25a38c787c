/** React hooks over what `/observe` offers. The package's `/react` entry, for React 18 and 19. */
import type { JsonObject, RecordId } from '@objectql/sync-types';
import { useMemo, useSyncExternalStore } from 'react';
import type { LiveValue } from '../observe/live-value.js';
import {
  observeConflicts,
  observeDeadLetters,
  observeRecord,
  observeRecords,
  observeStatus,
} from '../observe/observe.js';
import type { LocalRecord } from '../records/rebase.js';
import type { DeadLetter, ParkedConflict } from '../storage/client-storage.js';
import type { SyncPlugin } from '../sync-plugin.js';
import type { SyncStatus } from '../sync-status.js';

/**
 * All records of an object in the order of their ids, pending changes included; `undefined` until they have been read.
 * Renders when one changes; the others stay the same objects, so that `memo` skips their rows.
 */
export function useRecords<Fields extends object = JsonObject>(
  sync: SyncPlugin,
  objectName: string,
): readonly LocalRecord<Fields>[] | undefined {
  return useLiveValue(useMemo(() => observeRecords<Fields>(sync, objectName), [sync, objectName]));
}

/** One record, pending changes included; `null` when there is none, `undefined` until it has been read. */
export function useRecord<Fields extends object = JsonObject>(
  sync: SyncPlugin,
  objectName: string,
  recordId: RecordId,
): LocalRecord<Fields> | null | undefined {
  return useLiveValue(
    useMemo(() => observeRecord<Fields>(sync, { objectName, recordId }), [sync, objectName, recordId]),
  );
}

/** How sync stands, of the client as a whole: what a status line shows. */
export function useSyncStatus(sync: SyncPlugin): SyncStatus {
  return useLiveValue(useMemo(() => observeStatus(sync), [sync]));
}

/** The conflicts that wait for the user, the longest waiting first; of one object if one is named. */
export function useConflicts(sync: SyncPlugin, objectName?: string): readonly ParkedConflict[] {
  return useLiveValue(useMemo(() => observeConflicts(sync, objectName), [sync, objectName]));
}

/** The refused mutations that wait for the user, the longest waiting first; of one object if one is named. */
export function useDeadLetters(sync: SyncPlugin, objectName?: string): readonly DeadLetter[] {
  return useLiveValue(useMemo(() => observeDeadLetters(sync, objectName), [sync, objectName]));
}

/** Renders with the value, and again only when it changes. The value must be the same object in every render. */
export function useLiveValue<Value>(value: LiveValue<Value>): Value {
  return useSyncExternalStore(value.subscribe, value.getSnapshot, value.getServerSnapshot);
}
