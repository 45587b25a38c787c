/** The mutation that replaces one that met a conflict. */
import { ownValue, type SyncConflict } from '@objectql/sync-types';
import type { NewEntry } from '../log/log-entry.js';
import { checkNewMutation } from '../log/new-mutation.js';
import type { StoredEntry } from '../storage/client-storage.js';
import type { Resolution } from './conflict-resolver.js';

export type Write = Extract<Resolution, { do: 'write' }>;

/**
 * The entry that resolves a conflict on top of the server's record. It comes after everything the user has recorded
 * since, so it leaves out fields that their later changes write; `undefined` when nothing is left to write. Throws
 * `SyncUsageError` when what the application merged cannot be stored.
 */
export function followUpOf(
  conflict: SyncConflict,
  write: Write,
  { round, later }: { readonly round: number; readonly later: readonly StoredEntry[] },
): NewEntry | undefined {
  const { objectName, recordId, timestamp } = conflict.clientMutation;
  if (later.some(({ mutation }) => mutation.operation !== 'update')) return undefined;
  const data = write.operation === 'update' ? withoutLater(write.data ?? {}, later) : write.data;
  if (write.operation === 'update' && Object.keys(data ?? {}).length === 0) return undefined;
  const baseVersion = conflict.serverVersion ?? null;
  const input = checkNewMutation({ objectName, recordId, operation: write.operation, data, baseVersion });
  return { input, round, ...(write.isAutomatic ? { timestamp } : {}) };
}

function withoutLater(data: Readonly<Record<string, unknown>>, later: readonly StoredEntry[]) {
  const isOverwritten = (field: string) =>
    later.some(({ mutation }) => ownValue(mutation.data ?? {}, field) !== undefined);
  return Object.fromEntries(Object.entries(data).filter(([field]) => !isOverwritten(field)));
}
