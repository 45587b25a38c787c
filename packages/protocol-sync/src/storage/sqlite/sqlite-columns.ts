/** The columns of the SQLite store's rows; `sql-rows.ts` says how to read them. */
import type { RecordRef } from '@objectql/sync-types';

export const RECORD_COLUMNS = 'place, object_name, record_id, version, changed_at, data, bookkeeping';
export const LEDGER_COLUMNS = 'mutation_id, log_id, sequence, object_name, record_id, content_hash, outcome, at';

/** A record's name as its two columns hold it: `1` and `"1"` are two texts. */
export function keyColumns({ objectName, recordId }: RecordRef): readonly [objectName: string, recordId: string] {
  return [objectName, JSON.stringify(recordId)];
}
