/** One outcome for each mutation, for ever: how it is recognised again, remembered, and answered again. */
import { hash } from 'node:crypto';
import type { Json, MutationLogEntry } from '@objectql/sync-types';
import type { LedgerOutcome, LedgerRow } from './storage/sync-store.js';

/**
 * Names what a mutation says: object, record, operation and data. Its log, sequence and base are left out, because a
 * forked log renumbers what is pending and a restored server clears bases, and both keep the ids.
 */
export function contentHash({ objectName, recordId, operation, data }: MutationLogEntry): string {
  return hash('sha256', canonicalText([objectName, recordId, operation, data ?? null]), 'base64url');
}

/** JSON with the keys of objects in one order, so that the same data has the same text. */
function canonicalText(value: Json): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalText).join()}]`;
  // What is no array has keys; the compiler does not know that a readonly array is one.
  const fields = value as { readonly [key: string]: Json };
  const keys = Object.keys(fields).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalText(fields[key] ?? null)}`).join()}}`;
}

/** The row that remembers a mutation's outcome. */
export function ledgerRow(
  mutation: MutationLogEntry,
  outcome: LedgerOutcome,
  known: { readonly logId: string | null; readonly at: number },
): LedgerRow {
  return {
    mutationId: mutation.id,
    objectName: mutation.objectName,
    recordId: mutation.recordId,
    sequence: mutation.sequence,
    contentHash: contentHash(mutation),
    outcome,
    logId: known.logId,
    at: known.at,
  };
}
