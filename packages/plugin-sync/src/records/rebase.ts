/** What the user sees: the record as the server last told it, with the user's own pending changes on top. */
import type { JsonObject, RecordRef } from '@objectql/sync-types';
import type { BaseRecord, StoredEntry } from '../storage/client-storage.js';

/**
 * A record as the user sees it, with the fields that the app declares: nothing checks that the server's records have
 * them.
 */
export interface LocalRecord<Fields extends object = JsonObject> extends RecordRef {
  readonly data: Readonly<Fields>;
  /** The server's version underneath; `null` when the server does not have the record yet. */
  readonly version: number | null;
  /** True while some of it is not settled with the server. */
  readonly isPending: boolean;
}

/**
 * The record with the pending mutations applied in order; `undefined` when there is none, or a delete is pending. An
 * update alone makes no record: nobody knows its other fields.
 */
export function rebase(
  ref: RecordRef,
  base: BaseRecord | undefined,
  pending: readonly StoredEntry[],
): LocalRecord | undefined {
  const data = pending.reduce(applyEntry, base?.data);
  if (!data) return undefined;
  const { objectName, recordId } = ref;
  return { objectName, recordId, data, version: base?.version ?? null, isPending: pending.length > 0 };
}

/** True if `rebase` would make a record. */
export function isShown(base: BaseRecord | undefined, pending: readonly StoredEntry[]): boolean {
  return pending.reduce(
    (isBefore, { mutation: { operation }, copy }) =>
      operation === 'create' || (operation === 'update' && (isBefore || copy !== undefined)),
    base !== undefined,
  );
}

function applyEntry(before: JsonObject | undefined, { mutation, copy }: StoredEntry): JsonObject | undefined {
  switch (mutation.operation) {
    case 'create':
      return { ...before, ...mutation.data };
    case 'update': {
      const underneath = before ?? copy;
      return underneath && { ...underneath, ...mutation.data };
    }
    case 'delete':
      return undefined;
  }
}
