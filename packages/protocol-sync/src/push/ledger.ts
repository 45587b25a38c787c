/** One outcome for each mutation, remembered for as long as the retention says. */
import type { MutationLogEntry } from '@objectql/sync-types';
import type { LedgerOutcome, LedgerRow } from '../storage/sync-store.js';
import { contentHash } from './content-hash.js';

/** The row that remembers a mutation's outcome. */
export function ledgerRow(
  mutation: MutationLogEntry,
  outcome: LedgerOutcome,
  known: { readonly principal: string | null; readonly logId: string | null; readonly at: number },
): LedgerRow {
  return {
    mutationId: mutation.id,
    objectName: mutation.objectName,
    recordId: mutation.recordId,
    sequence: mutation.sequence,
    contentHash: contentHash(mutation, known.principal),
    outcome,
    logId: known.logId,
    at: known.at,
  };
}

/**
 * The row. If a clone of the device has taken its place in the log, the row goes under another log, or none, and is
 * forgotten after the clone's, so that the log's floor covers it.
 */
export function besideOthers(row: LedgerRow, known: readonly LedgerRow[], otherLogId: string | null): LedgerRow {
  const { mutationId, logId, sequence, at } = row;
  const taker = known.find(
    (other) => other.logId === logId && other.sequence === sequence && other.mutationId !== mutationId,
  );
  return taker && logId !== null ? { ...row, logId: otherLogId, at: Math.max(at, taker.at + 1) } : row;
}
