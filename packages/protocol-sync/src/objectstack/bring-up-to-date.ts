/** Compares the feed's records with the data engine's, and versions the differences. */
import { type JsonObject, type RecordRef, recordKey } from '@objectql/sync-types';
import { isPlaceholderId } from '@objectql/sync-types/kernel';
import { printable } from '../printable.js';
import { findUnfit, type RecordChange, stateOfChange } from '../records/record-change.js';
import { withStoredRecord } from '../records/record-state.js';
import type { EngineRecords } from './engine-records.js';
import type { BringUpToDate } from './engine-store.js';

export interface BringUpToDateParts {
  readonly records: Pick<EngineRecords, 'readAll'>;
  readonly now: () => number;
  readonly maxRecordBytes: number;
  /** Told of a record that devices cannot take: its write stands, and they keep the version before it. */
  readonly onUnfit: (message: string) => void;
}

/** Versions each record that differs between the engine and the feed; equal ones take no version. */
export function createBringUpToDate(parts: BringUpToDateParts): BringUpToDate {
  return async (refs, raw) => {
    const present = await parts.records.readAll(refs, raw.context);
    const changes = refs
      .map((ref) => changeOf(ref, present.get(recordKey(ref))))
      .filter((change) => isFit(change, parts));
    const { facts, records } = await raw.loadRecords(changes);
    const stateByKey = new Map(records.map((state) => [recordKey(state), state]));
    const at = { now: parts.now(), versionFloor: facts.versionFloor };
    const states = changes.flatMap((change) => {
      const state = stateOfChange(change, stateByKey.get(recordKey(change)), at);
      return state && change.data ? withStoredRecord(state, change.data) : (state ?? []);
    });
    if (states.length > 0) await raw.saveRecords(states, { facts, records });
  };
}

function changeOf({ objectName, recordId }: RecordRef, data: JsonObject | undefined): RecordChange {
  return data ? { objectName, recordId, operation: 'update', data } : { objectName, recordId, operation: 'delete' };
}

function isFit(change: RecordChange, { maxRecordBytes, onUnfit }: BringUpToDateParts): boolean {
  const problem = isPlaceholderId(change.recordId) ? 'its id stands in braces' : findUnfit(change, maxRecordBytes);
  if (problem) onUnfit(printable(`${change.objectName} ${change.recordId} is not sent to devices: ${problem}.`));
  return problem === undefined;
}
