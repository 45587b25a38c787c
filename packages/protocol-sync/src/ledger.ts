/** One outcome for each mutation, for ever: the row that remembers it. */
import type { MutationLogEntry } from '@objectql/sync-types';
import { contentHash } from './content-hash.js';
import type { LedgerOutcome, LedgerRow } from './storage/sync-store.js';

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
