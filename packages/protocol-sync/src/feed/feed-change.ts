/** Turns a record of the feed into the change that a client is sent. */
import type { SyncServerChange } from '@objectql/sync-types';
import { type ReadPermission, visibleData } from '../rules/authorize.js';
import type { FeedRecord } from '../storage/sync-store.js';
import type { PageStart } from './checkpoint.js';

/** A change whose record is still the text that was stored. */
export type FeedChange = Omit<SyncServerChange, 'data'> & { readonly data?: string };

/** The change, limited to what its caller may read of the record; `undefined` when there is nothing to tell them. */
export function toChange(
  record: FeedRecord,
  permission: ReadPermission,
  { start, timestampOf }: { readonly start: PageStart; readonly timestampOf: (at: number) => string },
): FeedChange | undefined {
  const { objectName, recordId, version: serverVersion, data, origin } = record;
  // A walk from the start drops what it does not see, so it need not be told to forget a record, unless it may have seen
  // it: one that changed after the walk began.
  if (permission === 'hide' || (permission === 'forget' && record.place <= start.since)) return undefined;
  const timestamp = timestampOf(record.changedAt);
  if (permission === 'forget' || data === null) {
    return { objectName, recordId, serverVersion, timestamp, operation: 'delete' };
  }
  const operation = serverVersion === record.born ? 'create' : 'update';
  const visible = visibleText(data, permission);
  // Nobody needs to know who wrote a record before the walk began, and that is half of what surrounds its data. And by
  // the id of a mutation, the ledger would tell whoever sees its record in part whether they guess the rest.
  return origin && record.place > start.since && permission === 'allow'
    ? { objectName, recordId, serverVersion, timestamp, operation, data: visible, origin }
    : { objectName, recordId, serverVersion, timestamp, operation, data: visible };
}

/** Epoch milliseconds as ISO 8601, remembering the last: records of one push are neighbours and have the same time. */
export function rememberedInstants(): (at: number) => string {
  let last = { at: Number.NaN, text: '' };
  return (at) => {
    if (at !== last.at) last = { at, text: new Date(at).toISOString() };
    return last.text;
  };
}

/** The text as it is stored, unless some of it is hidden. */
function visibleText(data: string, permission: ReadPermission): string {
  return typeof permission === 'object' ? JSON.stringify(visibleData(JSON.parse(data), permission)) : data;
}
