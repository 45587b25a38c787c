/** One outcome for each mutation, for ever: how it is recognised again, remembered, and answered again. */
import { createHash } from 'node:crypto';
import type { MutationLogEntry } from '@objectql/sync-types';
import { configure } from 'safe-stable-stringify';
import type { LedgerOutcome, LedgerRow } from './storage/sync-store.js';

/** Keys in one order, so that the same data has the same hash; what JSON cannot carry was refused before. */
const stableStringify = configure({ deterministic: true, strict: true });

/**
 * Names what a mutation says: object, record, operation and data. Its log, sequence and base are left out, because a
 * forked log renumbers what is pending and a restored server clears bases, and both keep the ids.
 */
export function contentHash({ objectName, recordId, operation, data }: MutationLogEntry): string {
  const content = stableStringify([objectName, recordId, operation, data ?? null]);
  return createHash('sha256').update(String(content)).digest('base64url');
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
