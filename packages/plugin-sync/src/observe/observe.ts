/**
 * What a user interface shows of a client, as values that change. The package's `/observe` entry; `/react` builds on
 * it.
 */
import type { JsonObject, RecordId } from '@objectql/sync-types';
import type { LocalRecord } from '../records/rebase.js';
import type { DeadLetter, ParkedConflict } from '../storage/client-storage.js';
import type { SyncPlugin } from '../sync-plugin.js';
import type { SyncStatus } from '../sync-status.js';
import { keepSame, keepSameItems, keepSameRecords } from './keep-same.js';
import { LiveValue } from './live-value.js';

export { LiveValue, type LiveValueSource } from './live-value.js';

/** Names a record to an observer. */
export interface ObservedRecord {
  readonly objectName: string;
  readonly recordId: RecordId;
}

/**
 * All records of an object in the order of their ids, pending changes included; `undefined` until they have been read.
 * A record that did not change stays the same object.
 *
 * ```text
 * const tasks = observeRecords(sync, 'task');
 * const stop = tasks.subscribe(() => render(tasks.getSnapshot()));
 * ```
 */
export function observeRecords<Fields extends object = JsonObject>(
  sync: SyncPlugin,
  objectName: string,
): LiveValue<readonly LocalRecord<Fields>[] | undefined> {
  return new LiveValue<readonly LocalRecord<Fields>[] | undefined>({
    initial: undefined,
    watch: (tell) => sync.getEngine<Fields>(objectName).records.subscribe(tell),
    keep: (before, after) => (before && after ? keepSameRecords(before, after) : after),
  });
}

/** One record, pending changes included; `null` when there is none, `undefined` until it has been read. */
export function observeRecord<Fields extends object = JsonObject>(
  sync: SyncPlugin,
  { objectName, recordId }: ObservedRecord,
): LiveValue<LocalRecord<Fields> | null | undefined> {
  return new LiveValue<LocalRecord<Fields> | null | undefined>({
    initial: undefined,
    watch: (tell) => sync.getEngine<Fields>(objectName).records.subscribe(recordId, (record) => tell(record ?? null)),
    keep: keepSame,
  });
}

/** How sync stands, of the client as a whole. */
export function observeStatus(sync: SyncPlugin): LiveValue<SyncStatus> {
  return new LiveValue({
    initial: STATUS_ON_SERVER,
    watch: (tell) => sync.client.subscribeStatus(tell),
    read: () => sync.client.status,
    keep: keepSame,
  });
}

/** The conflicts that wait for the user, the longest waiting first; of one object if one is named. */
export function observeConflicts(sync: SyncPlugin, objectName?: string): LiveValue<readonly ParkedConflict[]> {
  return observeList(sync.client.conflicts.of(objectName));
}

/** The refused mutations that wait for the user, the longest waiting first; of one object if one is named. */
export function observeDeadLetters(sync: SyncPlugin, objectName?: string): LiveValue<readonly DeadLetter[]> {
  return observeList(sync.client.deadLetters.of(objectName));
}

interface ObservedList<Item> {
  list(): readonly Item[];
  subscribe(listener: (items: readonly Item[]) => void): () => void;
}

function observeList<Item extends { readonly id: string }>(list: ObservedList<Item>): LiveValue<readonly Item[]> {
  return new LiveValue<readonly Item[]>({
    initial: [],
    watch: (tell) => list.subscribe(tell),
    read: () => list.list(),
    keep: keepSameItems,
  });
}

/** A server has no device's status to show. */
const STATUS_ON_SERVER: SyncStatus = {
  state: 'idle',
  pending: 0,
  conflicts: 0,
  deadLetters: 0,
  isStorageFailing: false,
  attention: false,
  clockSkewMs: null,
  live: 'off',
  progress: null,
  lastError: null,
  lastErrorCode: null,
};
