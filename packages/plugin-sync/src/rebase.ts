/** What the user sees: the record as the server last told it, with the user's own pending changes on top. */
import type { JsonObject, RecordRef } from '@objectql/sync-types';
import type { BaseRecord, StoredEntry } from './storage/client-storage.js';

/** A record as the user sees it. */
export interface LocalRecord extends RecordRef {
  readonly data: JsonObject;
  /** The server's version underneath; `null` when the server has not got the record yet. */
  readonly version: number | null;
  /** True while some of what is seen has not been settled with the server. */
  readonly isPending: boolean;
}

/** The record with the pending mutations applied in their order; `undefined` when there is none, or a delete is pending. */
export function rebase(
  ref: RecordRef,
  base: BaseRecord | undefined,
  pending: readonly StoredEntry[],
): LocalRecord | undefined {
  let data: JsonObject | undefined = base?.data;
  for (const { mutation } of pending) {
    if (mutation.operation === 'delete') data = undefined;
    else data = { ...data, ...mutation.data };
  }
  if (!data) return undefined;
  const { objectName, recordId } = ref;
  return { objectName, recordId, data, version: base?.version ?? null, isPending: pending.length > 0 };
}
